"""Bearer tokens in a file of the data directory: their hashes, never themselves.

A token is 256 random bits, so a plain hash of it cannot be reversed by guessing. The file is replaced as a whole, and
a running service reads it again when it has changed: a revoked token is refused at the next request. A file of its own
says that tokens were made: when they are lost, nobody is let in, while without any this machine would be.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from adapters.host.private_files import open_private
from adapters.plain_text import TOKEN_PREFIX
from domain.errors import InvalidInput, NotFound, StorageUnavailable
from domain.events import RESERVED_ACTORS


class Scope(StrEnum):
    """What a token allows; each includes the one before."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def allows(self, wanted: "Scope") -> bool:
        """Whether this scope includes another one."""
        order = list(Scope)
        return order.index(self) >= order.index(wanted)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One token as it is stored; `name` is the actor of what is done with it."""

    name: str
    scope: Scope
    hash: str
    created_at: datetime


class TokenFile:
    """The tokens of a data directory."""

    def __init__(self, data_dir: Path) -> None:
        """Nothing is read before the first question."""
        self._path = data_dir / "tokens.json"
        self._made = data_dir / "tokens.made"
        self._read: tuple[int, int] | None = None
        self._by_hash: dict[str, Token] = {}

    @property
    def were_made(self) -> bool:
        """Whether there ever was a token, though it may have been revoked."""
        return self._made.exists() or self._path.exists()

    def all(self) -> list[Token]:
        """Return all tokens, by name.

        Raises:
            StorageUnavailable: the file is there and cannot be read: nobody is let in on a guess.

        """
        self._refresh()
        return sorted(self._by_hash.values(), key=lambda token: token.name)

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret, if it is one."""
        self._refresh()
        return self._by_hash.get(_hash(secret))

    def create(self, name: str, scope: Scope, at: datetime) -> str:
        """Make a token and return its secret, which is not stored and cannot be shown again.

        Raises:
            InvalidInput: there is one of this name, or it is the service's own.

        """
        if name.casefold() in RESERVED_ACTORS:
            raise InvalidInput(f"the name {name!r} is reserved: the audit trail uses it for the service itself")
        with self._locked():
            tokens = self.all()
            if any(token.name == name for token in tokens):
                raise InvalidInput(f"there is a token named {name!r}: revoke it first, or take another name")
            secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
            self._write([*tokens, Token(name=name, scope=scope, hash=_hash(secret), created_at=at)])
        return secret

    def revoke(self, name: str) -> None:
        """Take a token back.

        Raises:
            NotFound: there is none of this name.

        """
        with self._locked():
            tokens = self.all()
            kept = [token for token in tokens if token.name != name]
            if len(kept) == len(tokens):
                raise NotFound(f"there is no token named {name!r}")
            self._write(kept)

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
            if self._read == (found.st_mtime_ns, found.st_ino):
                return
            tokens = msgspec.json.decode(self._path.read_bytes(), type=list[Token])
        except FileNotFoundError:
            self._expect_none()
        except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
            raise StorageUnavailable(f"the tokens in {self._path} cannot be read: {error}") from None
        else:
            self._read, self._by_hash = (found.st_mtime_ns, found.st_ino), {token.hash: token for token in tokens}

    def _expect_none(self) -> None:
        """Have no tokens, if there never were any."""
        if self._read is not None or self._made.exists():
            message = (
                f"the tokens in {self._path} are gone, and nobody is let in: restore that file from a backup, or "
                f"delete {self._made} and make new ones (job-recovery token create NAME --scope admin)"
            )
            raise StorageUnavailable(message)

    def _write(self, tokens: list[Token]) -> None:
        """Put a new file in place of the old; one that was written by half is never seen."""
        new = self._path.with_suffix(".new")
        # What a crash left there is another file's content, or a link that leads elsewhere.
        new.unlink(missing_ok=True)
        with os.fdopen(open_private(new, os.O_WRONLY | os.O_EXCL), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(tokens), indent=2))
            file.flush()
            os.fsync(file.fileno())
        os.close(open_private(self._made, os.O_WRONLY))
        new.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep two commands from overwriting each other's tokens."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(open_private(self._path.with_suffix(".lock"), os.O_RDWR)) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise StorageUnavailable(f"the tokens in {self._path} cannot be changed: {error}") from None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
