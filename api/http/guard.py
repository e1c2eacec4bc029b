"""ASGI middleware that authenticates and authorizes each request before its body is read."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.tokens import Scope as TokenScope
from api.http import problems
from api.http.origin import check_caller, check_media_type
from api.http.routers import REPORTS
from api.runtime.access import OPEN, Access, Caller
from domain.errors import JobRecoveryError

GUARDED = ("/api/v1/", "/metrics", "/health", "/openapi.json")
ADMIN_ONLY = "/api/v1/tokens"
READING = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Rejects requests without the necessary token or scope."""

    def __init__(self, app: ASGIApp, access: Callable[[], Access]) -> None:
        """`access` is called for each request, because the application is created before the service."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with problem details."""
        if scope["type"] == "http":
            request = Request(scope)
            try:
                self._admit(request, request.headers.get("authorization"))
            except JobRecoveryError as error:
                refusal = await problems.of(request, error)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, request: Request, authorization: str | None) -> None:
        access, path = self._access(), request.scope["path"]
        guarded = path.startswith(GUARDED)
        # Looked up once: it asks the file system.
        is_open = access.is_open
        if is_open:
            check_caller(request, is_page=not guarded)
        if guarded:
            wanted = TokenScope.READ if request.method in READING else TokenScope.OPERATE
            peer = request.client.host if request.client else ""
            admin = path.startswith(ADMIN_ONLY)
            caller = OPEN if is_open else access.holder(authorization)
            request.state.caller = access.admit(caller, TokenScope.ADMIN if admin else wanted, peer)
            if not is_open and _is_command_with_body(request):
                check_media_type(request)


def _is_command_with_body(request: Request) -> bool:
    """Return whether a body has to be JSON. Reports are excepted: workers are deployed, and do not repeat one."""
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return request.method == "POST" and has_body and not request.scope["path"].startswith(REPORTS)


def caller_of(request: Request) -> Caller:
    """Return who makes a request that was let in."""
    caller: Caller = request.state.caller
    return caller
