"""The OpenAPI document: what FastAPI makes of the routes, and what depends on the service that answers."""

from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from api.http.schemas.present import Problem
from domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from api.runtime.bootstrap import Service


class DescribedApp(FastAPI):
    """FastAPI, with the shape of our errors, the service's VMAs and whether it asks for tokens in its document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document; without a service, that of one which asks for tokens. It must not be changed."""
        service: Service | None = getattr(self.state, "service", None)
        return self._of_open_service if service is not None and _is_open(service) else self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        service: Service | None = getattr(self.state, "service", None)
        if service is not None:
            _name_vmas(document, sorted(service.settings.vma_urls))
        return document

    @cached_property
    def _of_open_service(self) -> dict[str, Any]:
        document = deepcopy(self._document)
        _leave_out_security(document)
        return document


def _is_open(service: "Service") -> bool:
    """Whether calls need no token; with tokens that cannot be read, nobody is let in without one."""
    try:
        return service.access.is_open
    except StorageUnavailable:
        return False


def _name_vmas(document: dict[str, Any], names: list[str]) -> None:
    vma = document["components"]["schemas"]["NewJob"]["properties"]["vma"]
    vma["anyOf"] = [{"type": "string", "enum": names}, {"type": "null"}]


def _leave_out_security(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
