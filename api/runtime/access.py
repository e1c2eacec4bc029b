"""Authentication, authorization and rate limits of requests.

Without tokens the service is open, and listens on loopback only. With tokens, every request except `/livez` and
`/readyz` needs one: scope `read` for reading, `admin` for the list of tokens, `operate` for everything else.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Literal

import msgspec

from adapters.tokens import Scope as TokenScope
from adapters.tokens import Tokens
from api.runtime.errors import Forbidden, TooManyRequests, Unauthenticated
from domain.events import LOCAL

Auth = Literal["none", "tokens"]

BURST = 2.0
"""Size of a burst, in seconds of the permitted rate."""

MAX_CALLERS = 10_000
"""Maximum callers with a bucket; with one more, the bucket that was used the longest ago is reset."""


class Caller(msgspec.Struct, frozen=True):
    """The name of a caller and the scope of its token."""

    name: str
    scope: TokenScope


OPEN = Caller(LOCAL, TokenScope.ADMIN)
"""Who calls a service that needs no token."""


class Buckets:
    """A token bucket per caller, with a burst of two seconds."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        """`per_second` is the rate; 0 means no limit."""
        self._per_second = per_second
        self._monotonic = monotonic
        self._full = max(1.0, per_second * BURST)
        self._levels: dict[str, tuple[float, float]] = {}

    def consume(self, who: str) -> None:
        """Count a request. One that is refused costs nothing.

        Raises:
            TooManyRequests: the caller's bucket is empty.

        """
        if not self._per_second:
            return
        now = self._monotonic()
        level, since = self._levels.get(who, (self._full, now))
        level = min(self._full, level + (now - since) * self._per_second)
        if level < 1.0:
            raise TooManyRequests(
                f"{who} may make {self._per_second:g} requests per second: wait, or raise JOB_RECOVERY_RATE_LIMIT",
                1 / self._per_second,
            )
        # The last one used is the last in the dictionary.
        self._levels.pop(who, None)
        self._levels[who] = (level - 1.0, now)
        if len(self._levels) > MAX_CALLERS:
            del self._levels[next(iter(self._levels))]


class Access:
    """Decides which requests are admitted."""

    def __init__(self, tokens: Tokens, buckets: Buckets, auth: Auth | None, *, on_loopback: bool) -> None:
        """`auth` None: tokens are required after the first was created. `on_loopback`: listens on loopback only."""
        self.tokens = tokens
        self._buckets = buckets
        self._auth = auth
        self._on_loopback = on_loopback

    @property
    def is_open(self) -> bool:
        """Return whether requests need no token."""
        return self._on_loopback and is_open(self._auth, self.tokens)

    def caller(self, authorization: str | None) -> Caller | None:
        """Return the caller; None without a valid token.

        Raises:
            StorageUnavailable: the tokens cannot be read.

        """
        return OPEN if self.is_open else self.holder(authorization)

    def holder(self, authorization: str | None) -> Caller | None:
        """Return the holder of a valid token; None without one.

        Raises:
            StorageUnavailable: the tokens cannot be read.

        """
        kind, _, secret = (authorization or "").partition(" ")
        token = self.tokens.find(secret.strip() if kind.lower() == "bearer" else "")
        return None if token is None else Caller(token.name, token.scope)

    def admit(self, caller: Caller | None, wanted: TokenScope, peer: str = "") -> Caller:
        """Return the caller if its request is admitted. Those without a valid token share the rate of their address.

        Raises:
            Unauthenticated: it has no token, or an unknown one.
            Forbidden: the scope of its token does not allow this.
            TooManyRequests: its token or its address has exceeded the rate.

        """
        self._buckets.consume(f"the address {peer}" if caller is None or caller.name == LOCAL else caller.name)
        if caller is None:
            raise Unauthenticated("no valid token: send `Authorization: Bearer ...`, with a token that is not revoked")
        if not caller.scope.allows(wanted):
            raise Forbidden(f"the token {caller.name!r} has the scope {caller.scope.value}; this needs {wanted.value}")
        return caller


def is_open(auth: Auth | None, tokens: Tokens) -> bool:
    """Return whether requests from this machine need no token. Revoking the last token does not open the service."""
    return auth == "none" or (auth is None and not tokens.ever_created)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address to listen on.

    Raises:
        OSError: there is no such host.

    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)
