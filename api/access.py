"""Who may do what: every call goes through here before anything of it is read.

Without tokens the service is open, and served on loopback only. With tokens every call but `/livez` and `/readyz` needs
one: reading needs the scope `read`, anything else `operate`, the list of tokens `admin`.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.host.tokens import Scope as TokenScope
from adapters.host.tokens import TokenFile
from api import problems
from api.errors import Forbidden, TooManyRequests, Unauthenticated
from api.origin import check_caller
from domain.errors import JobRecoveryError
from domain.events import LOCAL

Auth = Literal["none", "tokens"]

GUARDED = ("/api/v1/", "/metrics", "/health", "/openapi.json")
ADMIN_ONLY = "/api/v1/tokens"
READING = {"GET", "HEAD", "OPTIONS"}
BURST = 2.0
"""Seconds' worth of requests that may come at once."""

MOST_CALLERS = 10_000
"""Callers whose share is kept at once; with one more, all begin anew."""


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
        self._full = max(1.0, per_second * BURST)
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, who: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the caller has used its share.

        """
        if not self._per_second:
            return
        now = self._monotonic()
        if len(self._levels) > MOST_CALLERS:
            self._levels.clear()
        level, since = self._levels.get(who, (self._full, now))
        level = min(self._full, level + (now - since) * self._per_second)
        if level < 1.0:
            raise TooManyRequests(f"{who} may make {self._per_second:g} requests per second", 1 / self._per_second)
        self._levels[who] = (level - 1.0, now)


class Access:
    """Decides who is let in."""

    def __init__(self, tokens: TokenFile, buckets: Buckets, auth: Auth | None, *, on_loopback: bool) -> None:
        """Without `auth`, tokens are asked for once one was made. `on_loopback`: only this machine is served."""
        self.tokens = tokens
        self._buckets = buckets
        self._auth = auth
        self._on_loopback = on_loopback

    @property
    def is_open(self) -> bool:
        """Whether calls need no token."""
        return self._on_loopback and is_open(self._auth, self.tokens)

    def caller(self, authorization: str | None) -> Caller | None:
        """Return who calls; None if it is nobody that may.

        Raises:
            StorageUnavailable: the tokens cannot be read.

        """
        if self.is_open:
            return Caller(LOCAL, TokenScope.ADMIN)
        kind, _, secret = (authorization or "").partition(" ")
        token = self.tokens.find(secret.strip() if kind.lower() == "bearer" else "")
        return None if token is None else Caller(token.name, token.scope)

    def admit(self, authorization: str | None, wanted: TokenScope, peer: str = "") -> Caller:
        """Let a call in, or not. Open calls and guesses share what their address may make.

        Raises:
            Unauthenticated: it has no token, or none of ours.
            Forbidden: its token does not allow this.
            TooManyRequests: its token, or its address, has used its share.

        """
        caller = self.caller(authorization)
        self._buckets.take(f"the address {peer}" if caller is None or caller.name == LOCAL else caller.name)
        if caller is None:
            raise Unauthenticated("this needs a token: send `Authorization: Bearer ...`, with one that was not revoked")
        if not caller.scope.allows(wanted):
            raise Forbidden(f"the token {caller.name!r} has the scope {caller.scope.value}; this needs {wanted.value}")
        return caller


def is_open(auth: Auth | None, tokens: TokenFile) -> bool:
    """Return whether calls from this machine need no token. Revoking the last one does not open the service."""
    return auth == "none" or (auth is None and not tokens.were_made)


class Guard:
    """ASGI middleware that admits each call before the application sees it."""

    def __init__(self, app: ASGIApp, access: Callable[[], Access]) -> None:
        """`access` is asked for at each call: the application is made before the service is."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the call and pass it on, or answer with the problem."""
        if scope["type"] == "http":
            refusal = self._refusal(Request(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        try:
            self._admit(request, request.headers.get("authorization"))
        except JobRecoveryError as error:
            return problems.of(request, error)
        return None

    def _admit(self, request: Request, authorization: str | None) -> None:
        access, path = self._access(), request.scope["path"]
        if access.is_open:
            check_caller(request)
        if path.startswith(GUARDED):
            wanted = TokenScope.READ if request.method in READING else TokenScope.OPERATE
            peer = request.client.host if request.client else ""
            admin = path.startswith(ADMIN_ONLY)
            request.state.caller = access.admit(authorization, TokenScope.ADMIN if admin else wanted, peer)


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
