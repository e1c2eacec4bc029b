"""The projector: applies the event log to the read model, in batches, exactly once.

Rows and checkpoint change in one transaction, the checkpoint by compare-and-set. So a crash or a second projector can
neither lose a batch nor apply it twice. The read model can be deleted at any time: it is rebuilt from the log.

On a server, one process at a time has the lock of the projector. The others follow the checkpoint.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Engine

from domain.errors import LogChanged, StorageUnavailable
from domain.events import UnreadableEvent
from domain.ports import Clock, Log
from projections.read_model import checkpoint, history, schema
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.errors import ReadModelDamaged
from projections.read_model.model_store import ModelStore

T = TypeVar("T")

BATCH = 1000
"""Events of one transaction while the read model is derived."""

LIVE_BATCH = 250
"""Events of one transaction later: what a batch has had stays with the process, and a larger one shows later."""

SLOW_POLL = 1.0
"""Seconds between two polls of the log without a commit, and before a retry."""

HELD_UP_AFTER = 5.0
"""Seconds in which the process that has the lock applies an event, or something is wrong with it."""

HELD_UP = (
    "another session of its server has the lock of the read model, which is at position {} and has not moved for {} s: "
    "look for another service that uses the same database, or for a session that its process has left"
)


class NotificationLog(Protocol):
    """The event log, in the order of positions."""

    async def read_from(self, position: int, limit: int) -> list[Entry]:
        """Return the events after a position."""

    async def head(self) -> int:
        """Return the position of the last event."""


class Projector:
    """Applies new events of the log to the read model. `error` is why it cannot, until it can again."""

    def __init__(
        self, engine: Engine, log: NotificationLog, clock: Clock, logger: Log, threads: Executor | None = None
    ) -> None:
        """Read from `log` and write to `engine`, once `run` or `catch_up` is called; in `threads` if on a server."""
        self.position = 0
        self.caught_up = False
        self.error: str | None = None
        self._model = ModelStore(engine)
        self._threads = threads
        self._has_lock = False
        self._stands: tuple[int, float] | None = None
        """Where the process with the lock applies no event that there is, and since when by the event loop's clock."""
        self._log = log
        self._clock = clock
        self._logger = logger
        self._head = 0
        self._applied = START
        self._has_told_of_others = False
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()

    @property
    def lag(self) -> int:
        """Return how many known events are not applied yet."""
        return max(0, self._head - self.position)

    @property
    def head(self) -> int:
        """Return the position of the last event that is known."""
        return max(self._head, self.position)

    def committed(self, position: int) -> None:
        """Apply a new commit of the log, up to `position`, without waiting for the next poll."""
        self._head = max(self._head, position)
        self._wake.set()

    async def reset_if_outdated(self) -> bool:
        """Empty the read model if it is not derived from this log by this version; return whether the log is another.

        A log that was restored, or a server that failed over to a replica that lagged, has lost events that were
        applied, and perhaps has others at their positions. Safe to repeat. Events that an older version skipped as
        unreadable may be readable now.

        Raises:
            StorageUnavailable: the log is empty and the read model is not, which may be all that is left.

        """
        if not await self._take_lock():
            return not await history.has(self._log, await self._checkpoint())
        reached = await self._opened()
        is_another = not await history.has(self._log, reached)
        if is_another:
            lost = msgspec.structs.asdict(await history.find_lost(self._log, self._applied_by, reached))
            self._logger.warning(
                "read_model_of_another_log", position=reached.position, last_event=reached.event, **lost
            )
            await self._call(self._model.reset)
        elif await self._has_become_readable():
            self._logger.info("read_model_rebuilt", why="events that were skipped can be read now")
            await self._call(self._model.reset)
        return is_another

    async def catch_up(self) -> int:
        """Apply everything that is in the log now; return the position. Call `reset_if_outdated` first.

        Raises:
            StorageUnavailable: the log or the read model cannot be used now, or only the log is empty.

        """
        if await self._take_lock():
            await self._opened()
        self._head = await self._log.head()
        try:
            await self._apply_all()
        except ReadModelDamaged as damaged:
            self._logger.warning("read_model_rebuilt", why=str(damaged))
            await self._call(self._model.reset)
            await self._apply_all()
        self.caught_up = self._has_lock or self.lag == 0
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

        Raises:
            LogChanged: the log is another one. The read model is not the only thing that was derived from it.

        """
        while True:
            try:
                await self._follow()
            except LogChanged:
                raise
            except StorageUnavailable as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001 - logged, and shown by /readyz
                self._report_fault(error)
            await self._clock.sleep(SLOW_POLL)

    def _report(self, error: StorageUnavailable) -> None:
        """Record and log an expected error, once for as long as it lasts."""
        before, self.error = self.error, str(error)
        if self.error != before:
            name = "read_model_damaged" if isinstance(error, ReadModelDamaged) else "projection_failed"
            self._logger.error(name, position=self.position, error=self.error)

    def _report_fault(self, error: Exception) -> None:
        """Record and log an unexpected error, once, because it is probably permanent."""
        before, self.error = self.error, f"the read model cannot be updated: {type(error).__name__}: {error}"
        if self.error != before:
            self._logger.error("projection_failed", position=self.position, error=self.error, exc_info=error)

    async def _opened(self) -> Checkpoint:
        """Return the checkpoint; reset a read model that is missing, invalidated or damaged."""
        try:
            reached = await self._call(self._model.checkpoint)
        except ReadModelDamaged as damaged:
            self._logger.warning("read_model_rebuilt", why=str(damaged))
            reached = None
        if reached is not None and reached.position and not await self._log.head():
            raise StorageUnavailable(self._model.log_lost(reached.position))
        if reached is not None and reached.is_valid:
            return reached
        await self._call(self._model.reset)
        return START

    async def _checkpoint(self) -> Checkpoint:
        return await self._call(self._model.checkpoint) or START

    async def _has_become_readable(self) -> bool:
        """Return whether an event that was skipped as unreadable can be read now."""
        for position in await self._call(self._model.unreadable_events):
            entries = await self._log.read_from(position - 1, 1)
            if entries and not isinstance(entries[0][1], UnreadableEvent):
                return True
        return False

    async def _tell_of_other_releases(self) -> None:
        """Name the tables that other releases have here, once: only an operator knows which are not used any more."""
        if self._has_told_of_others:
            return
        others = await self._call(self._model.other_releases)
        self._has_told_of_others = True
        if others:
            names = [f"{one}*" for one in others]
            self._logger.info("read_model_of_other_releases", tables=f"{schema.PREFIX}*", others=names)

    async def _apply_all(self) -> None:
        await self._reach(await self._checkpoint())
        if self._has_lock and not self.position and self._head:
            self._logger.info("read_model_rebuilding", events=self._head, tables=f"{schema.PREFIX}*")
        while await self._advance():
            pass
        await self._tell_of_other_releases()

    async def _follow(self) -> None:
        """Apply each commit, when `committed` is called or at the next poll; start at the checkpoint.

        Without the lock, it returns when the process that had it has ended; with it, when the read model is gone.
        """
        # A log without what this process has applied is told by `_advance`: the read model is not all that is derived.
        # Without the lock, it has applied nothing: what is there may be of another log, also when the lock is free.
        if not self._has_lock or not self.position or await history.has(self._log, self._applied):
            await self.reset_if_outdated()
        self._head = max(self._head, await self._log.head())
        await self._apply_all()
        while True:
            self.caught_up = self.caught_up or self.lag == 0
            try:
                async with asyncio.timeout(SLOW_POLL):
                    await self._wake.wait()
            except TimeoutError:
                self._head = max(self._head, await self._log.head())
                if await self._has_got_lock() or await self._is_gone():
                    return
            self._wake.clear()
            while await self._advance():
                pass

    async def _advance(self) -> bool:
        if not self._has_lock:
            return await self._follow_checkpoint()
        limit = LIVE_BATCH if self.caught_up else BATCH
        entries = await history.entries_after(self._log, self._applied_by, self._applied, limit)
        if entries:
            await self._call(self._apply, entries)
            await self._reach(checkpoint.at(entries[-1]))
        self.error = None
        return bool(entries)

    async def _follow_checkpoint(self) -> bool:
        """Move to where the process that has the lock is."""
        reached = await self._call(self._model.checkpoint)
        if reached is None or not reached.is_valid or not await history.has(self._log, reached):
            raise StorageUnavailable("another process updates the read model, and is not at an event of this log yet")
        self._check_that_it_moves(reached.position)
        await self._reach(reached)
        self.error = None
        return False

    def _check_that_it_moves(self, position: int) -> None:
        """Check that the process with the lock applies events, if there are any.

        Raises:
            StorageUnavailable: it has applied none for too long.

        """
        now = asyncio.get_running_loop().time()
        stood_at, since = self._stands or (None, now)
        if not self.lag:
            self._stands = None
        elif position != stood_at:
            self._stands = (position, now)
        elif now - since > HELD_UP_AFTER:
            raise StorageUnavailable(HELD_UP.format(position, round(now - since)))

    async def _has_got_lock(self) -> bool:
        """Return whether this process has got the lock now.

        If it has the lock on a server, its session is used, so that the server knows that it is alive.
        """
        had_lock = self._has_lock
        if had_lock and self._threads is None:
            return False
        return await self._take_lock() and not had_lock

    async def _is_gone(self) -> bool:
        """Return whether somebody has deleted what this process updates."""
        return self._has_lock and await self._call(self._model.checkpoint) is None

    async def _applied_by(self, position: int) -> Checkpoint:
        return await self._call(self._model.applied_by, position)

    async def _take_lock(self) -> bool:
        self._has_lock = await self._call(self._model.acquire)
        if self._has_lock:
            self._stands = None
        return self._has_lock

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _reach(self, applied: Checkpoint) -> None:
        async with self._moved:
            self._applied, self.position = applied, applied.position
            self._moved.notify_all()

    def _apply(self, entries: Sequence[Entry]) -> None:
        for position, why in self._model.apply(entries, after=self.position).items():
            self._logger.error("event_skipped", position=position, why=why, remedy="see `job-recovery verify`")
