"""Bearer tokens, of which only hashes are stored.

A token is 256 random bits, so guessing cannot reverse a plain hash of it.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from adapters.plain_text import TOKEN_PREFIX
from domain.errors import InvalidInput
from domain.events import RESERVED_ACTORS
from domain.ports import Clock


class Scope(StrEnum):
    """What a token allows; each includes the previous one."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def allows(self, wanted: "Scope") -> bool:
        """Return whether this scope includes another one."""
        order = list(Scope)
        return order.index(self) >= order.index(wanted)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One token as it is stored; `name` is the actor of its requests."""

    name: str
    scope: Scope
    hash: str
    created_at: datetime


class Tokens(Protocol):
    """The tokens as a service knows them."""

    @property
    def ever_created(self) -> bool:
        """Return whether there ever was a token, also one that is revoked. What was true once stays so."""

    def all(self) -> list[Token]:
        """Return all tokens, by name.

        Raises:
            StorageUnavailable: they cannot be read, or are lost.

        """

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret; None if there is none. Raises as `all` does."""

    async def keep(self, clock: Clock) -> None:
        """Keep what is known up to date, until cancelled."""

    def close(self) -> None:
        """Stop to keep it up to date."""


class TokenStore(Protocol):
    """Where tokens are stored, as commands use it."""

    @property
    def place(self) -> str:
        """Return its name for messages."""

    def all(self) -> list[Token]:
        """Return all tokens, by name.

        Raises:
            StorageUnavailable: they cannot be read.

        """

    def create(self, name: str, scope: Scope, at: datetime) -> str:
        """Create a token and return its secret, which is not stored and cannot be shown again.

        Raises:
            InvalidInput: the name is in use, or reserved for the service.
            StorageUnavailable: it cannot be stored.

        """

    def revoke(self, name: str) -> None:
        """Remove a token.

        Raises:
            NotFound: there is none of this name.
            StorageUnavailable: the tokens cannot be changed.

        """


def check_not_reserved(name: str) -> None:
    """Check that a token may have a name.

    Raises:
        InvalidInput: the audit trail uses it for the service itself.

    """
    if name.casefold() in RESERVED_ACTORS:
        raise InvalidInput(f"the name {name!r} is reserved: the audit trail uses it for the service itself")


def new_token(name: str, scope: Scope, at: datetime, in_use: Collection[str]) -> tuple[str, Token]:
    """Return a new secret and what is stored of it.

    Raises:
        InvalidInput: the name is in use.

    """
    if name in in_use:
        raise InvalidInput(f"there is a token named {name!r}: revoke it first, or use another name")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return secret, Token(name=name, scope=scope, hash=hash_of(secret), created_at=at)


def hash_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
