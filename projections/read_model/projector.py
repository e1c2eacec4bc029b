"""The projector: applies the event log to the read model, in batches, exactly once.

Rows and checkpoint change in one transaction, the checkpoint by compare-and-set. So a crash or a second projector can
neither lose a batch nor apply it twice. The read model can be deleted at any time: it is rebuilt from the log.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Engine

from domain.errors import StorageUnavailable
from domain.events import UnreadableEvent
from domain.ports import Clock, Log
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.errors import ReadModelDamaged
from projections.read_model.model_store import ModelStore

BATCH = 1000
SLOW_POLL = 1.0
"""Seconds between two polls of the log without a commit, and before a retry."""


class NotificationLog(Protocol):
    """The event log, in the order of positions."""

    async def read_from(self, position: int, limit: int) -> list[Entry]:
        """Return the events after a position."""

    async def head(self) -> int:
        """Return the position of the last event."""


class Projector:
    """Applies new events of the log to the read model. `error` is why it cannot, until it can again."""

    def __init__(self, engine: Engine, log: NotificationLog, clock: Clock, logger: Log) -> None:
        """Read from `log` and write to `engine`, once `run` or `catch_up` is called."""
        self.position = 0
        self.caught_up = False
        self.error: str | None = None
        self._model = ModelStore(engine)
        self._log = log
        self._clock = clock
        self._logger = logger
        self._head = 0
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()

    @property
    def lag(self) -> int:
        """Return how many known events are not applied yet."""
        return max(0, self._head - self.position)

    def committed(self, position: int) -> None:
        """Apply a new commit of the log, up to `position`, without waiting for the next poll."""
        self._head = max(self._head, position)
        self._wake.set()

    async def reset_if_outdated(self) -> None:
        """Empty the read model if it is not derived from this log by this version. Safe to repeat.

        A log restored from a backup is another log: its new events have positions that were already applied. Events
        that an older version skipped as unreadable may be readable now.

        Raises:
            StorageUnavailable: the log is empty and the read model is not, which may be all that is left.

        """
        reached = await self._opened()
        if reached.position and not reached.matches(await self._log.read_from(reached.position - 1, 1)):
            self._logger.warning("read_model_of_another_log", position=reached.position, last_event=reached.event)
            await asyncio.to_thread(self._model.reset)
        elif await self._has_become_readable():
            self._logger.info("read_model_rebuilt", why="events that were skipped can be read now")
            await asyncio.to_thread(self._model.reset)

    async def catch_up(self) -> int:
        """Apply everything that is in the log now; return the position. Call `reset_if_outdated` first.

        Raises:
            StorageUnavailable: the log or the read model cannot be used now, or only the log is empty.

        """
        await self._opened()
        self._head = await self._log.head()
        try:
            await self._apply_all()
        except ReadModelDamaged as damaged:
            self._logger.warning("read_model_rebuilt", why=str(damaged))
            await asyncio.to_thread(self._model.reset)
            await self._apply_all()
        self.caught_up = True
        return self.position

    async def reached(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109 - a bound, not a cancellation
        """Wait until the read model has reached `position`; return False if it does not within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: self.position >= position)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Follow the log for as long as the service runs.

        Every error is retried: the service watches jobs also while the read model is behind.
        """
        while True:
            try:
                await self._follow()
            except StorageUnavailable as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001 - logged, and shown by /readyz
                self._report_fault(error)
            await self._clock.sleep(SLOW_POLL)

    def _report(self, error: StorageUnavailable) -> None:
        """Record and log an expected error; damage only once, because it is permanent."""
        before, self.error = self.error, str(error)
        if not isinstance(error, ReadModelDamaged):
            self._logger.error("projection_failed", position=self.position, error=self.error)
        elif self.error != before:
            self._logger.error("read_model_damaged", position=self.position, error=self.error)

    def _report_fault(self, error: Exception) -> None:
        """Record and log an unexpected error, once, because it is probably permanent."""
        before, self.error = self.error, f"the read model cannot be updated: {type(error).__name__}: {error}"
        if self.error != before:
            self._logger.error("projection_failed", position=self.position, error=self.error, exc_info=error)

    async def _opened(self) -> Checkpoint:
        """Return the checkpoint; reset a read model of another version, or one that is invalidated."""
        reached = await asyncio.to_thread(self._model.checkpoint)
        if reached is not None and reached.position and not await self._log.head():
            raise StorageUnavailable(self._model.log_lost(reached.position))
        if reached is not None and reached.version == START.version:
            return reached
        await asyncio.to_thread(self._model.reset)
        return START

    async def _has_become_readable(self) -> bool:
        """Return whether an event that was skipped as unreadable can be read now."""
        for position in await asyncio.to_thread(self._model.unreadable_events):
            entries = await self._log.read_from(position - 1, 1)
            if entries and not isinstance(entries[0][1], UnreadableEvent):
                return True
        return False

    async def _apply_all(self) -> None:
        await self._set_position(await asyncio.to_thread(self._stored_position))
        while await self._advance():
            pass

    async def _follow(self) -> None:
        """Apply each commit, when `committed` is called or at the next poll; start at the checkpoint."""
        await self._apply_all()
        while True:
            try:
                async with asyncio.timeout(SLOW_POLL):
                    await self._wake.wait()
            except TimeoutError:
                self._head = max(self._head, await self._log.head())
            self._wake.clear()
            while await self._advance():
                pass

    async def _advance(self) -> bool:
        entries = await self._log.read_from(self.position, BATCH)
        if entries:
            await asyncio.to_thread(self._apply, entries)
            await self._set_position(entries[-1][0])
        self.error = None
        return bool(entries)

    async def _set_position(self, position: int) -> None:
        async with self._moved:
            self.position = position
            self._moved.notify_all()

    def _apply(self, entries: Sequence[Entry]) -> None:
        for position, why in self._model.apply(entries, after=self.position).items():
            self._logger.error("event_skipped", position=position, why=why, remedy="see `job-recovery verify`")

    def _stored_position(self) -> int:
        return (self._model.checkpoint() or START).position
