"""The HTTP application: routes, errors and the OpenAPI document."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api.http import problems
from api.http.console import DIST, Console
from api.http.ending import AnsweredAtTheEnd
from api.http.guard import GUARDED, Guard
from api.http.limits import BoundedBodies
from api.http.parameters import CheckedRoute
from api.http.routes import (
    audit,
    health,
    instances,
    jobs,
    recovery_runs,
    replays,
    status,
    stream,
    system,
    tokens,
    worker_reports,
)
from api.http.schemas.present import Problem
from api.http.schemas.stream import describe_stream
from api.runtime.bootstrap import Service
from api.runtime.telemetry import Traces

DESCRIPTION = (
    "Tracks VM replication jobs and recovers them after a restart of the control plane. "
    "Every error is returned as RFC 9457 problem details; every list has `items` and `next_cursor`. "
    "`GET /api/v1/events/stream` has no end: a client must read it as it arrives."
)


BEARER = {"type": "http", "description": "Required after the first token was created.", "scheme": "bearer"}
"""How a token is sent, for the OpenAPI document. `Guard` checks it, before the application."""


class DescribedApp(FastAPI):
    """FastAPI, with the schema of problem details and the names of the VMAs in its OpenAPI document."""

    vmas: Sequence[str] = ()

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema()
        describe_stream(document)
        if self.vmas:
            vma = {"type": "string", "enum": sorted(self.vmas)}
            schemas["NewJob"]["properties"]["vma"]["anyOf"] = [vma, {"type": "null"}]
        document["components"]["securitySchemes"] = {"HTTPBearer": BEARER}
        guarded = (calls for path, calls in document["paths"].items() if path.startswith(GUARDED))
        for call in (call for calls in guarded for call in calls.values()):
            # A token is optional until the first one is created.
            call["security"] = [{"HTTPBearer": []}, {}]
        return document


def create_app(service: Service, dist: Path = DIST) -> FastAPI:
    """Return the application that serves `service`, and the console whose build is in a folder."""
    app = _routes(service.traces)
    # Without the check of parameters: those of a page are the browser's, for example a filter in an address.
    app.router.routes.extend(Console(dist).routes())
    app.vmas = list(service.settings.vma_urls)
    app.state.service = service
    # The last one added runs first: no body is received from a rejected caller.
    app.add_middleware(BoundedBodies, why_slow=lambda: service.event_log.error)
    app.add_middleware(Guard, access=lambda: service.access)
    app.add_middleware(AnsweredAtTheEnd)
    return app


@cache
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document, which does not depend on any service, and is built once."""
    return _routes(Traces({})).openapi()


def _routes(traces: Traces) -> DescribedApp:
    app = DescribedApp(
        title="Job Recovery",
        version=version("job-recovery"),
        description=DESCRIPTION,
        # FastAPI's pages load scripts from other sites.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # The framework's redirect is absolute, and lacks a proxy's prefix.
        redirect_slashes=False,
        telemetry=traces.of_requests(),
    )
    problems.install(app)
    # Not the framework's own route, which ignores unknown parameters.
    document = CheckedRoute(
        "/openapi.json", lambda: JSONResponse(app.openapi()), methods=["GET", "HEAD"], include_in_schema=False
    )
    app.router.routes.append(document)
    # Before recovery_runs, whose `/{run_id}` would match `compare` and `what-if`.
    parts = (jobs, replays, recovery_runs, audit, stream, worker_reports, status, instances, system, tokens)
    for router in (health.router, status.scrape, *(part.router for part in parts)):
        app.router.routes.extend(router.routes)
    return app
