"""Tokens in a file of the data directory.

The file is replaced as a whole. A running service reads it again after a change: a revoked token is refused at the next
request. A second file records that tokens were created: if they are lost, all requests are refused, while without
tokens local ones are allowed.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from adapters.host.file_owner import check_user, give_to_owner, permission_remedy
from adapters.host.private_files import open_private
from adapters.tokens import Scope, Token, check_not_reserved, hash_of, new_token
from domain.errors import NotFound, StorageUnavailable
from domain.ports import Clock

LOCK_TIMEOUT, LOCK_RETRY = 5, 0.1
"""Seconds that a command waits for another one, and between two attempts."""


class TokenFile:
    """The tokens of a data directory."""

    def __init__(self, data_dir: Path) -> None:
        """Read nothing until the first query."""
        self.place = str(data_dir.absolute())
        self._path = data_dir / "tokens.json"
        self._created = data_dir / "tokens.made"
        self._was_created = False
        self._read: tuple[int, int] | None = None
        self._by_hash: dict[str, Token] = {}

    @property
    def ever_created(self) -> bool:
        """Return whether there ever was a token, also one that is revoked. What was true once stays so."""
        self._was_created = self._was_created or self._created.exists() or self._path.exists()
        return self._was_created

    def all(self) -> list[Token]:
        """Return all tokens, by name.

        Raises:
            StorageUnavailable: the file cannot be read, or is lost.

        """
        self._refresh()
        return sorted(self._by_hash.values(), key=lambda token: token.name)

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret; None if there is none."""
        self._refresh()
        return self._by_hash.get(hash_of(secret))

    def create(self, name: str, scope: Scope, at: datetime) -> str:
        """Create a token and return its secret, which is not stored and cannot be shown again.

        Raises:
            InvalidInput: the name is in use, or reserved for the service; or the service runs as another user.

        """
        check_not_reserved(name)
        with self._locked():
            tokens = self.all()
            secret, token = new_token(name, scope, at, [token.name for token in tokens])
            self._write([*tokens, token])
        return secret

    def revoke(self, name: str) -> None:
        """Remove a token.

        Raises:
            NotFound: there is none of this name.

        """
        with self._locked():
            tokens = self.all()
            others = [token for token in tokens if token.name != name]
            if len(others) == len(tokens):
                raise NotFound(f"there is no token named {name!r}")
            self._write(others)

    async def keep(self, _: Clock) -> None:
        """Return at once: the file is looked at with each request."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def is_there(self) -> bool:
        """Return whether there is a file with tokens.

        Raises:
            StorageUnavailable: it cannot be looked at.

        """
        try:
            return self._path.exists()
        except OSError as error:
            raise StorageUnavailable(f"the tokens in {self._path} cannot be read: {self._why(error)}") from None

    def mark(self) -> None:
        """Record that tokens were created, so that a service that does not find them is closed."""
        os.close(self._create(self._created, os.O_WRONLY))

    def retire(self) -> Path:
        """Rename the file, whose tokens another store has now; return its new path. The mark stays."""
        self.mark()
        return self._path.replace(self._path.with_suffix(".json.adopted"))

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
            if self._read == (found.st_mtime_ns, found.st_ino):
                return
            tokens = msgspec.json.decode(self._path.read_bytes(), type=list[Token])
        except FileNotFoundError:
            self._check_never_created()
        except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
            raise StorageUnavailable(f"the tokens in {self._path} cannot be read: {self._why(error)}") from None
        else:
            self._read, self._by_hash = (found.st_mtime_ns, found.st_ino), {token.hash: token for token in tokens}

    def _check_never_created(self) -> None:
        """Raise an error if there were tokens."""
        if self._read is not None or self._created.exists():
            message = (
                f"the tokens in {self._path} are lost, and all requests are refused: restore that file from a backup, "
                f"or delete {self._created} and create new ones (job-recovery token create NAME --scope admin)"
            )
            raise StorageUnavailable(message)

    def _write(self, tokens: list[Token]) -> None:
        """Replace the file as a whole, so that nobody reads half of it."""
        new = self._path.with_suffix(".new")
        # It may be from a crash, or a link to another file.
        new.unlink(missing_ok=True)
        with os.fdopen(self._create(new, os.O_WRONLY | os.O_EXCL), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(tokens), indent=2))
            file.flush()
            os.fsync(file.fileno())
        self.mark()
        new.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclude other commands, which would overwrite the tokens."""
        check_user(self._path.parent)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._path.with_suffix(".lock")
            with os.fdopen(self._create(path, os.O_RDWR)) as lock:
                _acquire(lock.fileno(), path)
                yield
        except OSError as error:
            raise StorageUnavailable(f"the tokens in {self._path} cannot be changed: {self._why(error)}") from None

    def _create(self, path: Path, flags: int) -> int:
        """Open a file of the service's user, and create it if it is missing."""
        file = open_private(path, flags)
        give_to_owner(file, path.parent)
        return file

    def _why(self, error: Exception) -> str:
        """Return the reason of an error, with a remedy if this user lacks a permission."""
        if isinstance(error, PermissionError):
            return f"{error.strerror}. {permission_remedy(self._path.parent)}"
        return str(error)


def _acquire(lock: int, path: Path) -> None:
    """Acquire a lock that another command may have for a moment.

    Raises:
        TimeoutError: another process has not released it in time.

    """
    for _ in range(round(LOCK_TIMEOUT / LOCK_RETRY)):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_RETRY)
    raise TimeoutError(f"another process has locked {path} for {LOCK_TIMEOUT} s: end it (`fuser {path}` names it)")
