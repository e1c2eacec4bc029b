"""The answers of the VMA's builds about an unknown id."""

from collections.abc import Callable

from aiohttp import web

from adapters.simulated_vma.faults import json_response

NOT_FOUND_STYLES: dict[str, Callable[[str], web.Response]] = {
    "404_text": lambda _id: web.Response(status=404, text="job not found\n"),
    "200_text": lambda _id: web.Response(text="job not found\n"),
    "404_json": lambda id_: json_response({"error": "job not found", "job_id": id_}, 404),
    "404_no_migration": lambda id_: web.Response(status=404, text=f"No active migration found for job: {id_}\n"),
    "404_names_id": lambda id_: web.Response(status=404, text=f"Job not found: {id_}"),
}


class NotFound:
    """The style of each endpoint, `progress` and `status`."""

    def __init__(self) -> None:
        self._styles = {"progress": "404_text", "status": "404_names_id"}

    def use(self, style: str, endpoint: str = "progress") -> None:
        """Set the style of an endpoint.

        Raises:
            LookupError: there is no such style, or no such endpoint.

        """
        if style not in NOT_FOUND_STYLES:
            raise LookupError(f"there is no style {style!r}")
        if endpoint not in self._styles:
            raise LookupError(f"there is no endpoint {endpoint!r}")
        self._styles[endpoint] = style

    def answer(self, endpoint: str, asked_id: str) -> web.Response:
        """Return the answer about an unknown id."""
        return NOT_FOUND_STYLES[self._styles[endpoint]](asked_id)
