"""The command line's side of the HTTP API."""

from collections.abc import Iterator
from typing import Any, Self

import httpx

from domain.errors import InvalidInput, JobRecoveryError, NotFound

TIMEOUT = 30.0
PAGE = 1000


class ServiceUnreachable(JobRecoveryError):
    """The service does not answer."""


class Client:
    """Calls a running service."""

    def __init__(self, url: str) -> None:
        """`url` is the service's address, without `/api/v1`."""
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self._url}/api/v1", trust_env=False, timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a GET answers."""
        wanted = {name: str(value) for name, value in query.items() if value is not None}
        return self._call("GET", path, params=wanted)

    def post(self, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Return what a POST answers."""
        return self._call("POST", path, json=body)

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Go through all items of a list."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(self, method: str, path: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            message = f"the service at {self._url} does not answer ({error}): is `job-recovery serve` running?"
            raise ServiceUnreachable(message) from None
        if response.is_success:
            return response.json()
        detail = _detail(response)
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(detail)
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise InvalidInput(detail)
        raise JobRecoveryError(detail)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered {response.status_code}"
