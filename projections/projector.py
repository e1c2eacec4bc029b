"""The projector: folds the event log into the read model, in batches, exactly once.

Rows and position move in one transaction, the position by compare-and-set, so a crash or a second projector can
neither lose a batch nor apply it twice. The read model can be deleted at any time: it is rebuilt from the log.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from domain.errors import StorageUnavailable
from domain.ports import Clock, Log
from projections import schema
from projections.audit_rows import Entry
from projections.tables import apply_batch

BATCH = 1000
SLOW_POLL = 1.0
NAME = "read-model"


class NotificationLog(Protocol):
    """The event log, in the order in which it was written."""

    async def read_from(self, position: int, limit: int) -> list[Entry]:
        """Return events after a position."""

    async def head(self) -> int:
        """Return the position of the last event."""


class ReadModelDamaged(StorageUnavailable):
    """The read model's file is no database, or not a whole one; it can be set aside, for the log has everything."""


def open_read_model(path: Path, sqlite: ModuleType) -> Engine:
    """Open or create the read model; one of another version is emptied, and so rebuilt.

    Args:
        path: the SQLite file.
        sqlite: the module with SQLite in it, the same that everything in this process uses.

    Raises:
        ReadModelDamaged: the file cannot be read as a database.
        StorageUnavailable: it cannot be opened or written now.

    """
    engine = create_engine(f"sqlite:///{path}", module=sqlite, connect_args={"timeout": 10})
    event.listen(engine, "connect", _tune)
    try:
        with engine.begin() as connection:
            schema.metadata.create_all(connection)
            version = connection.scalar(select(schema.position.c.version))
        if version != schema.VERSION:
            empty(engine)
    except OperationalError as error:
        engine.dispose()
        raise StorageUnavailable(f"the read model {path} cannot be opened: {error.orig}") from error
    except DatabaseError as error:
        engine.dispose()
        raise ReadModelDamaged(f"the read model {path} is damaged: {error.orig}") from error
    return engine


def set_aside(path: Path) -> Path:
    """Move a damaged read model out of the way, with what belongs to it; return where it is now."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def empty(engine: Engine) -> None:
    """Empty the read model, so that the next projector folds the log from the start."""
    with engine.begin() as connection:
        schema.metadata.drop_all(connection)
        schema.metadata.create_all(connection)
        connection.execute(insert(schema.position).values(name=NAME, version=schema.VERSION, notification_id=0))


def _tune(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What is lost here in a power cut is folded again from the log.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


class Projector:
    """Keeps the read model up with the log."""

    def __init__(self, engine: Engine, log: NotificationLog, clock: Clock, logger: Log) -> None:
        """Read from `log`, write to `engine`; nothing runs yet."""
        self.position = 0
        self.caught_up = False
        self._engine = engine
        self._log = log
        self._clock = clock
        self._logger = logger
        self._head = 0
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()

    @property
    def lag(self) -> int:
        """Events that are stored and not folded in yet, as far as this process knows."""
        return max(0, self._head - self.position)

    def committed(self, position: int) -> None:
        """Take note that the log has reached `position`."""
        self._head = max(self._head, position)
        self._wake.set()

    async def catch_up(self) -> int:
        """Fold in everything that is in the log now; return the position."""
        self.position = await asyncio.to_thread(self._stored_position)
        self._head = await self._log.head()
        while await self._advance():
            pass
        self.caught_up = True
        return self.position

    async def reached(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109 - a bound, not a cancellation
        """Wait until the read model has come to `position`; false if it has not within the bound."""
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: self.position >= position)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Follow the log for as long as the service runs, whatever keeps it from being read or written for a while."""
        while True:
            try:
                await self._follow()
            except (StorageUnavailable, SQLAlchemyError) as error:
                self._logger.error("projection_failed", position=self.position, error=str(error))
                await self._clock.sleep(SLOW_POLL)

    async def _follow(self) -> None:
        """Fold in each commit, woken by it, and looking by itself; begins where the read model truly is."""
        await self._is_at(await asyncio.to_thread(self._stored_position))
        while True:
            while await self._advance():
                pass
            try:
                async with asyncio.timeout(SLOW_POLL):
                    await self._wake.wait()
            except TimeoutError:
                self._head = max(self._head, await self._log.head())
            self._wake.clear()

    async def _advance(self) -> bool:
        entries = await self._log.read_from(self.position, BATCH)
        if not entries:
            return False
        await asyncio.to_thread(self._apply, entries)
        await self._is_at(entries[-1][0])
        return True

    async def _is_at(self, position: int) -> None:
        async with self._moved:
            self.position = position
            self._moved.notify_all()

    def _apply(self, entries: Sequence[Entry]) -> None:
        with self._engine.begin() as connection:
            self._move_position(connection, entries[-1][0])
            apply_batch(connection, entries)

    def _move_position(self, connection: Connection, to: int) -> None:
        table = schema.position
        moved = connection.execute(
            update(table)
            .where(table.c.name == NAME, table.c.notification_id == self.position)
            .values(notification_id=to)
        )
        if moved.rowcount != 1:
            message = f"the read model is not at position {self.position}: another projector moved it"
            raise StorageUnavailable(message)

    def _stored_position(self) -> int:
        with self._engine.connect() as connection:
            stored = connection.scalar(select(schema.position.c.notification_id).where(schema.position.c.name == NAME))
        return int(stored or 0)
