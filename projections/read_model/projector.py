"""The projector: folds the event log into the read model, in batches, exactly once.

Rows and position move in one transaction, the position by compare-and-set, so a crash or a second projector can
neither lose a batch nor apply it twice. The read model can be deleted at any time: it is rebuilt from the log.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, select

from domain.errors import StorageUnavailable
from domain.events import UnreadableEvent
from domain.ports import Clock, Log
from projections.read_model import bookmark, schema
from projections.read_model.audit_rows import Entry
from projections.read_model.bookmark import START, Bookmark
from projections.read_model.folded import ReadModelDamaged, in_our_words
from projections.read_model.tables import apply_batch

BATCH = 1000
SLOW_POLL = 1.0


class NotificationLog(Protocol):
    """The event log, in the order in which it was written."""

    async def read_from(self, position: int, limit: int) -> list[Entry]:
        """Return events after a position."""

    async def head(self) -> int:
        """Return the position of the last event."""


class Projector:
    """Keeps the read model up with the log."""

    def __init__(self, engine: Engine, log: NotificationLog, clock: Clock, logger: Log) -> None:
        """Read from `log`, write to `engine`; nothing runs yet."""
        self.position = 0
        self.caught_up = False
        self.trouble: str | None = None
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

    async def settle(self) -> None:
        """See that the read model is a fold of this very log; if it is not, empty it. Safe to repeat.

        Another log is one that was restored from a backup: new events would be taken for such as are folded in already.
        An event that was skipped because an older version could not read it is folded in by a newer one.

        Raises:
            StorageUnavailable: the log is empty, and the read model is not: what it holds may be all that is left.

        """
        mark = await self._opened()
        if mark.position and not mark.is_in(await self._log.read_from(mark.position - 1, 1)):
            self._logger.warning("read_model_of_another_log", position=mark.position, event_folded_in=mark.event)
            await asyncio.to_thread(self._begin_anew)
        elif await self._has_become_readable():
            self._logger.info("read_model_rebuilt", why="events that were skipped can be read now")
            await asyncio.to_thread(self._begin_anew)

    async def catch_up(self) -> int:
        """Fold in everything that is in the log now; return the position. Whose log it is, `settle` has seen before.

        Raises:
            StorageUnavailable: the log or the read model cannot be used now, or the log is empty and should not be.

        """
        await self._opened()
        self._head = await self._log.head()
        try:
            await self._to_the_end()
        except ReadModelDamaged as damaged:
            self._logger.warning("read_model_rebuilt", why=str(damaged))
            await asyncio.to_thread(self._begin_anew)
            await self._to_the_end()
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
        """Follow the log for as long as the service runs.

        Whatever keeps it from going on is tried again: lists that lag behind are no reason to stop watching jobs.
        """
        while True:
            try:
                await self._follow()
            except StorageUnavailable as error:
                self._tell(error)
            except Exception as error:  # noqa: BLE001 - logged, and shown by /readyz until it goes on
                self._tell_fault(error)
            await self._clock.sleep(SLOW_POLL)

    def _tell(self, error: StorageUnavailable) -> None:
        """Keep what is wrong until it goes on; damage is logged once, for it does not pass."""
        before, self.trouble = self.trouble, str(error)
        if not isinstance(error, ReadModelDamaged):
            self._logger.error("projection_failed", position=self.position, error=self.trouble)
        elif self.trouble != before:
            self._logger.error("read_model_damaged", position=self.position, error=self.trouble)

    def _tell_fault(self, error: Exception) -> None:
        """Keep what nobody expected until it goes on; logged once, for it hardly passes."""
        before, self.trouble = self.trouble, f"the read model does not follow: {type(error).__name__}: {error}"
        if self.trouble != before:
            self._logger.error("projection_failed", position=self.position, error=self.trouble, exc_info=error)

    async def _opened(self) -> Bookmark:
        """Return where the read model is; one of another version, or one that was discarded, begins anew."""
        mark = await asyncio.to_thread(self._bookmark)
        if mark is not None and mark.position and not await self._log.head():
            raise StorageUnavailable(self._lost(mark.position))
        if mark is not None and mark.version == START.version:
            return mark
        await asyncio.to_thread(self._begin_anew)
        return START

    async def _has_become_readable(self) -> bool:
        """Return whether an event can be read that was skipped because it could not."""
        for position in await asyncio.to_thread(self._unreadable):
            entries = await self._log.read_from(position - 1, 1)
            if entries and not isinstance(entries[0][1], UnreadableEvent):
                return True
        return False

    async def _to_the_end(self) -> None:
        await self._is_at(await asyncio.to_thread(self._stored_position))
        while await self._advance():
            pass

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
        if entries:
            await asyncio.to_thread(self._apply, entries)
            await self._is_at(entries[-1][0])
        self.trouble = None
        return bool(entries)

    async def _is_at(self, position: int) -> None:
        async with self._moved:
            self.position = position
            self._moved.notify_all()

    def _apply(self, entries: Sequence[Entry]) -> None:
        with in_our_words(), self._engine.begin() as connection:
            self._move_position(connection, entries[-1])
            skipped = apply_batch(connection, entries)
        for position, why in skipped.items():
            self._logger.error("event_skipped", position=position, why=why, remedy="see `job-recovery verify`")

    def _move_position(self, connection: Connection, to: Entry) -> None:
        if not bookmark.move(connection, self.position, to):
            message = f"the read model is not at position {self.position}: another projector moved it"
            raise StorageUnavailable(message)

    def _begin_anew(self) -> None:
        with in_our_words(), self._engine.begin() as connection:
            bookmark.begin_anew(connection)

    def _bookmark(self) -> Bookmark | None:
        with in_our_words(), self._engine.connect() as connection:
            return bookmark.read(connection)

    def _unreadable(self) -> Sequence[int]:
        table = schema.skipped_events
        with in_our_words(), self._engine.connect() as connection:
            return connection.scalars(select(table.c.position).where(table.c.is_unreadable)).all()

    def _stored_position(self) -> int:
        return (self._bookmark() or START).position

    def _lost(self, seen: int) -> str:
        model = Path(self._engine.url.database or "read_model.sqlite")
        return (
            f"the event log in {model.parent} is empty, but the read model has seen {seen} events of it: "
            f"restore the log from a backup, or, to begin from nothing, delete {model}, too"
        )
