"""The HTTP application: routes, errors and the OpenAPI document, over one service."""

from importlib.metadata import version

from fastapi import FastAPI

from api import health, jobs, problems, recovery
from api.bootstrap import Service

DESCRIPTION = (
    "Keeps track of VM replication jobs and brings them safely through a restart of the control plane. "
    "Every error is answered as RFC 9457 problem details; every list is `items` and `next_cursor`."
)


def create_app(service: Service) -> FastAPI:
    """Make the application that serves `service`."""
    app = FastAPI(title="Job Recovery", version=version("job-recovery"), description=DESCRIPTION)
    app.state.service = service
    problems.install(app)
    app.include_router(health.router)
    app.include_router(jobs.router, prefix="/api/v1")
    app.include_router(recovery.router, prefix="/api/v1")
    return app
