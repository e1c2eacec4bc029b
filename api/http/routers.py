"""Routers: where their paths begin, and the check that every request passes.

The application takes over their routes as they are. `include_router` would analyse each route a second time, at its
first request, and go through the included routers at every request.
"""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.params import Depends

from api.http.parameters import CheckedRoute

API = "/api/v1"
"""The beginning of the paths of the API. What else requires a token, once one exists, is in `api.http.guard`."""

REPORTS = f"{API}/telemetry/"
"""The beginning of the paths of workers' reports."""


def api_router(tag: str, prefix: str = "", dependencies: Sequence[Depends] = ()) -> APIRouter:
    """Return a router of the API."""
    return APIRouter(prefix=API + prefix, tags=[tag], dependencies=dependencies, route_class=CheckedRoute)


def public_router(tag: str) -> APIRouter:
    """Return a router for paths outside of the API."""
    return APIRouter(tags=[tag], route_class=CheckedRoute)
