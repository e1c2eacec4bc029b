"""Who may do what: every call goes through here before anything of it is read.

Without tokens the service is open, and served on loopback only. With tokens every call but `/livez` and `/readyz` needs
one: reading needs the scope `read`, anything else `operate`, the list of tokens `admin`.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Literal

import msgspec

from adapters.host.tokens import Scope as TokenScope
from adapters.host.tokens import TokenFile
from api.runtime.errors import Forbidden, TooManyRequests, Unauthenticated
from domain.events import LOCAL

Auth = Literal["none", "tokens"]

BURST = 2.0
"""Seconds' worth of requests that may come at once."""

MAX_CALLERS = 10_000
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
        if len(self._levels) > MAX_CALLERS:
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
    return auth == "none" or (auth is None and not tokens.ever_created)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine.

    Raises:
        OSError: there is no such host.

    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)
