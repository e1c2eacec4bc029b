"""The HTTP application: routes, errors and the OpenAPI document."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from api import audit, health, jobs, problems, recovery, replays
from api.bootstrap import Service
from api.schemas import Problem

DESCRIPTION = (
    "Keeps track of VM replication jobs and brings them safely through a restart of the control plane. "
    "Every error is answered as RFC 9457 problem details; every list is `items` and `next_cursor`."
)


def create_app(service: Service) -> FastAPI:
    """Make the application that serves `service`."""
    app = _routes()
    app.state.service = service
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document; it does not depend on any service."""
    return _routes().openapi()


class _App(FastAPI):
    """FastAPI, with the shape of our errors in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return document


def _routes() -> FastAPI:
    app = _App(title="Job Recovery", version=version("job-recovery"), description=DESCRIPTION)
    problems.install(app)
    app.include_router(health.router)
    app.include_router(jobs.router, prefix="/api/v1")
    # Before the runs by their ids: `compare` and `what-if` are not ids.
    app.include_router(replays.router, prefix="/api/v1")
    app.include_router(recovery.router, prefix="/api/v1")
    app.include_router(audit.router, prefix="/api/v1")
    return app
