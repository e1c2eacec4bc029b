"""Routers, and what every request is checked for.

The application takes over their routes as they are. `include_router` would analyse each route a second time, at its
first request, and go through the included routers at every request.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Security
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPBearer

from api.http.parameters import check_query

PREFIX = "/api/v1"

KNOWN_PARAMETERS = Depends(check_query)

BEARER = Security(HTTPBearer(auto_error=False, description="Required after the first token was created."))


def api_router(tag: str, prefix: str = "", dependencies: Sequence[Dependency] = ()) -> APIRouter:
    """Return a router of the API, whose calls need a token after the first one was created."""
    return APIRouter(prefix=PREFIX + prefix, tags=[tag], dependencies=[KNOWN_PARAMETERS, BEARER, *dependencies])


def public_router(tag: str) -> APIRouter:
    """Return a router outside of the API, for calls without a token."""
    return APIRouter(tags=[tag], dependencies=[KNOWN_PARAMETERS])
