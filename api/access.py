"""Who may do what: every call under `/api/v1`, and the metrics, go through here before anything of them is read.

Without tokens the service is open, and served on loopback only. With tokens every call needs one: reading needs the
scope `read`, anything else `operate`, the list of tokens `admin`.
"""

import ipaddress
import socket
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.tokens import Scope as TokenScope
from adapters.tokens import TokenFile
from api import problems
from api.errors import Forbidden, TooManyRequests, Unauthenticated
from domain.errors import JobRecoveryError

LOCAL = "local"
"""The actor of calls to a service without tokens."""

GUARDED = ("/api/v1/", "/metrics")
ADMIN_ONLY = "/api/v1/tokens"
READING = {"GET", "HEAD", "OPTIONS"}
BURST = 2.0
"""Seconds' worth of requests that may come at once."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and what that allows."""

    name: str
    scope: TokenScope


class Buckets:
    """A token bucket for each caller: so many requests per second, and a burst of twice as many."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        """Zero per second means no limit."""
        self._per_second = per_second
        self._monotonic = monotonic
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the caller has used its share.

        """
        if not self._per_second:
            return
        now = self._monotonic()
        full = max(1.0, self._per_second * BURST)
        level, since = self._levels.get(name, (full, now))
        level = min(full, level + (now - since) * self._per_second)
        if level < 1.0:
            raise TooManyRequests(f"{name} may make {self._per_second:g} requests per second", 1 / self._per_second)
        self._levels[name] = (level - 1.0, now)


class Access:
    """Decides who is let in."""

    def __init__(self, tokens: TokenFile, buckets: Buckets, *, on_loopback: bool) -> None:
        """`on_loopback`: only this machine can reach the service, so it may be open."""
        self.tokens = tokens
        self._buckets = buckets
        self._on_loopback = on_loopback

    @property
    def is_open(self) -> bool:
        """Whether calls need no token."""
        return self._on_loopback and not self.tokens.all()

    def admit(self, authorization: str | None, wanted: TokenScope) -> Caller:
        """Let a call in, or not.

        Raises:
            Unauthenticated: it has no token, or none of ours.
            Forbidden: its token does not allow this.
            TooManyRequests: its token has used its share.

        """
        if self.is_open:
            return Caller(LOCAL, TokenScope.ADMIN)
        kind, _, secret = (authorization or "").partition(" ")
        token = self.tokens.find(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            raise Unauthenticated("this needs a token: send `Authorization: Bearer ...`, with one that was not revoked")
        self._buckets.take(token.name)
        if not token.scope.allows(wanted):
            raise Forbidden(f"the token {token.name!r} has the scope {token.scope.value}; this needs {wanted.value}")
        return Caller(token.name, token.scope)


class Guard:
    """ASGI middleware that admits each call before the application sees it."""

    def __init__(self, app: ASGIApp, access: Callable[[], Access]) -> None:
        """`access` is asked for at each call: the application is made before the service is."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the call and pass it on, or answer with the problem."""
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            refusal = self._refusal(Request(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        wanted = TokenScope.READ if request.method in READING else TokenScope.OPERATE
        if request.url.path.startswith(ADMIN_ONLY):
            wanted = TokenScope.ADMIN
        try:
            request.state.caller = self._access().admit(request.headers.get("authorization"), wanted)
        except JobRecoveryError as error:
            return problems.of(request, error)
        return None


def caller_of(request: Request) -> Caller:
    """Return who makes a request that was let in."""
    caller: Caller = request.state.caller
    return caller


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine.

    Raises:
        OSError: there is no such host.

    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)
