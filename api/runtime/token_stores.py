"""Where the tokens are: in a file of the data directory, or with the log in a database, for all instances."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from adapters.host.tokens import TokenFile
from adapters.tokens import Token, Tokens, TokenStore, hash_of
from api.runtime.settings import Settings
from domain.errors import StorageUnavailable
from domain.ports import Clock, Log

if TYPE_CHECKING:
    from adapters.event_log.postgres_tokens import PostgresTokens

T = TypeVar("T")

REFRESH = 0.5
"""Seconds between two looks at the database."""

ATTEMPTS, PAUSE = 8, 1.0
"""How often a start tries to read the tokens, and the seconds between two attempts: the log was opened just before."""


def token_store(settings: Settings) -> TokenStore:
    """Return the store that commands change."""
    return TokenFile(settings.data_dir) if settings.database_url is None else _in_database(settings)


def open_tokens(settings: Settings, log: Log) -> Tokens:
    """Return the tokens of a service. Those in a database are read, after the file of a data directory was adopted.

    Raises:
        StorageUnavailable: they cannot be read, or the file cannot be adopted.

    """
    file = TokenFile(settings.data_dir)
    if settings.database_url is None:
        return file
    stored = _in_database(settings)
    if file.is_there():
        _adopt(file, stored, log)
    return SharedTokens(stored, file, log)


def _adopt(file: TokenFile, stored: "PostgresTokens", log: Log) -> None:
    """Move the tokens of a file into the database, once. Safe to repeat: a crash leaves the file where it was."""
    tokens = file.all()
    added = _patiently(partial(stored.adopt, tokens))
    try:
        kept = file.retire()
    except OSError as error:
        raise StorageUnavailable(f"the tokens are in the database now, but their file stays: {error}") from None
    log.warning("tokens_adopted", tokens=[token.name for token in tokens], added=added, kept=str(kept))


class SharedTokens:
    """The tokens in a database as they were last read: no request waits for it, or is refused while it is away."""

    def __init__(self, stored: "PostgresTokens", file: TokenFile, log: Log) -> None:
        """Read them. The mark in the data directory closes a service that goes on without this database."""
        self._stored, self._file, self._log = stored, file, log
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._by_hash: dict[str, Token] = {}
        self._ever_created, self._is_away = False, False
        _patiently(self._read)

    @property
    def ever_created(self) -> bool:
        """Return whether there ever was a token, in the database or in the data directory."""
        return self._ever_created or self._file.ever_created

    def all(self) -> list[Token]:
        """Return all tokens, by name."""
        return list(self._by_hash.values())

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret; None if there is none."""
        return self._by_hash.get(hash_of(secret))

    async def keep(self, clock: Clock) -> None:
        """Read them again and again. What was known stays valid while they cannot be read."""
        while True:
            await clock.sleep(REFRESH)
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
            except StorageUnavailable as error:
                if not self._is_away:
                    self._log.warning("tokens_not_read", why=str(error))
                self._is_away = True
            else:
                self._is_away = False

    def close(self) -> None:
        """Close the connection after the present look at the database, without waiting for that."""
        self._thread.submit(self._stored.close)
        self._thread.shutdown(wait=False)

    def _read(self) -> None:
        found = self._stored.read()
        self._by_hash = {token.hash: token for token in found.valid}
        self._ever_created = self._ever_created or found.ever_created
        if found.ever_created and not self._file.ever_created:
            try:
                self._file.mark()
            except OSError as error:
                self._stored.close()
                raise StorageUnavailable(f"that there are tokens cannot be recorded: {error}") from None


def _patiently(work: Callable[[], T]) -> T:
    """Return what the work returns; try it again for a while if the database cannot be used."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except StorageUnavailable:
            time.sleep(PAUSE)
    return work()


def _in_database(settings: Settings) -> "PostgresTokens":
    # psycopg is slow to import, and most services do not need it.
    from adapters.event_log.postgres_session import Database  # noqa: PLC0415
    from adapters.event_log.postgres_tokens import PostgresTokens  # noqa: PLC0415
    from adapters.event_log.postgres_url import parameters_of  # noqa: PLC0415

    assert settings.database_url is not None  # noqa: S101 - asked by the callers
    return PostgresTokens(Database(parameters_of(settings.database_url.get_secret_value()), settings.database_schema))
