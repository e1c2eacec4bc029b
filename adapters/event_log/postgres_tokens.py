"""The tokens of all instances that share a log on PostgreSQL, in a table beside it.

The row of a revoked token stays, so that an instance that adopts an old file does not bring it back. Two tokens that
were adopted from two files may have one name: they are the same operator's, and are revoked together.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec
from eventsourcing.persistence import PersistenceError

from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_session import Database, Session
from adapters.event_log.postgres_setup import set_up
from adapters.tokens import Scope, Token, check_not_reserved, new_token
from domain.errors import NotFound, StorageUnavailable

TIMEOUT = 2.0
"""Seconds for one statement, and for the lock of the table."""

IS_THERE = "SELECT to_regclass('tokens') IS NOT NULL AS found"
ROWS = "SELECT name, scope, hash, created_at, revoked_at IS NOT NULL AS revoked FROM tokens ORDER BY name, created_at"
LOCK = "LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE"
"""Commands take turns; readers do not wait."""
INSERT = "INSERT INTO tokens (hash, name, scope, created_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
REVOKE = "UPDATE tokens SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL"


class Stored(msgspec.Struct, frozen=True):
    """What is stored: the valid tokens by name, and whether there ever was one."""

    valid: Sequence[Token] = ()
    ever_created: bool = False


class PostgresTokens:
    """The tokens in the schema of a log. One thread at a time uses it."""

    def __init__(self, database: Database) -> None:
        """Connect when it is first used."""
        self.place = f"the event log {database.place}"
        self._database = database
        self._session: Session | None = None

    def read(self) -> Stored:
        """Return what is stored, by a connection that is kept until `close`.

        Raises:
            StorageUnavailable: the database does not answer.

        """
        try:
            with self._usable():
                if self._session is None:
                    self._session = self._connect()
                with translating(self._session), self._session.until(monotonic() + TIMEOUT):
                    return _read(self._session)
        except StorageUnavailable:
            self.close()
            raise

    def all(self) -> list[Token]:
        """Return all tokens, by name; none if there are no tables yet."""
        with self._command() as session:
            return list(_read(session).valid) if _is_there(session) else []

    def create(self, name: str, scope: Scope, at: datetime) -> str:
        """Create a token, and the tables if they are missing; return its secret, which cannot be shown again."""
        check_not_reserved(name)
        with self._usable():
            set_up(self._database)
        with self._command() as session, _alone(session):
            secret, token = new_token(name, scope, at, [token.name for token in _read(session).valid])
            _insert(session, token)
        return secret

    def revoke(self, name: str) -> None:
        """Revoke a token, for all instances."""
        with self._command() as session:
            if not _is_there(session) or not session.execute(REVOKE, [name]).rowcount:
                raise NotFound(f"there is no token named {name!r}")

    def adopt(self, tokens: Sequence[Token]) -> list[str]:
        """Store the tokens of a file, except those that are known, also as revoked; return the names of the new ones.

        Safe to repeat, and at several instances at once.
        """
        with self._command() as session, _alone(session):
            return [token.name for token in tokens if _insert(session, token)]

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    @contextmanager
    def _command(self) -> Iterator[Session]:
        """Connect for one command."""
        with self._usable(), self._connect() as session, translating(session):
            yield session

    def _connect(self) -> Session:
        with translating():
            return self._database.connect("tokens", statement=TIMEOUT, lock=TIMEOUT)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except PersistenceError as error:
            raise StorageUnavailable(f"the tokens {self._database.place} cannot be used: {error}") from error


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    """Exclude other changes, in one transaction."""
    with session.transaction():
        session.execute(LOCK)
        yield


def _is_there(session: Session) -> bool:
    return any(row["found"] for row in session.execute(IS_THERE))


def _read(session: Session) -> Stored:
    rows = session.execute(ROWS).fetchall()
    return Stored([_token(row) for row in rows if not row["revoked"]], ever_created=bool(rows))


def _token(row: dict[str, Any]) -> Token:
    return Token(name=row["name"], scope=Scope(row["scope"]), hash=row["hash"], created_at=row["created_at"])


def _insert(session: Session, token: Token) -> bool:
    """Store a token; return False if it is there already."""
    row = [token.hash, token.name, token.scope.value, token.created_at]
    return session.execute(INSERT, row).rowcount == 1
