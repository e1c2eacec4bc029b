"""Group commit: one thread stores all waiting requests in one transaction.

A commit costs the same fsync for one event as for a thousand.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence

from eventsourcing.persistence import IntegrityError

from adapters.event_log.database_errors import DATABASE_ERRORS, UNAVAILABLE
from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, JobRecoveryError, StorageUnavailable
from domain.events import Event
from domain.ports import Log

MAX_REQUESTS = 1000
"""Requests in one transaction; limits how long the first of them waits."""


class WriteRequest:
    """Events to store atomically, and a future that is resolved when they are durable."""

    def __init__(
        self,
        events: Sequence[Event],
        snapshots: Sequence[Snapshot],
        loop: asyncio.AbstractEventLoop,
        as_owner_of: str | None = None,
    ) -> None:
        """Create the future in the event loop of the caller."""
        self.as_owner_of = as_owner_of
        self.events = events
        self.snapshots = snapshots
        self.loop = loop
        self.done: asyncio.Future[int] = loop.create_future()


Result = int | JobRecoveryError


class GroupCommit:
    """Queues requests of the event loop and stores them in one thread."""

    def __init__(self, store: Callable[[Sequence[WriteRequest]], list[int]], logger: Log) -> None:
        """Start the thread; `store` writes all requests in one transaction and returns a position for each."""
        self._store = store
        self._logger = logger
        self._unavailable: StorageUnavailable | None = None
        self._closed = False
        self._closing = threading.Lock()
        self._queue: queue.SimpleQueue[WriteRequest | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._thread.start()

    async def submit(
        self, events: Sequence[Event], snapshots: Sequence[Snapshot], as_owner_of: str | None = None
    ) -> int:
        """Store the events atomically; return the log position of the last, once it is durable.

        Raises:
            ConcurrentWrite: one of the versions exists already; nothing was stored.
            NotOwner: this instance is not, or not any more, `as_owner_of`; nothing was stored.
            StorageUnavailable: the log cannot be written now, or is closed. Nothing was stored, unless the connection
                to the log was lost: the store tells of that when it knows.

        """
        request = WriteRequest(events, snapshots, asyncio.get_running_loop(), as_owner_of)
        # asyncio reports an error that nobody retrieves as a fault; a cancelled caller does not retrieve it.
        request.done.add_done_callback(_retrieve_error)
        with self._closing:
            if self._closed:
                raise StorageUnavailable("the event log is closed: the service is stopping")
            self._queue.put(request)
        # Shielded: a cancelled caller must not cancel the future that the writer resolves.
        return await asyncio.shield(request.done)

    def close(self) -> None:
        """Store the waiting requests, refuse later ones, and end the thread. Safe to repeat."""
        with self._closing:
            if not self._closed:
                self._closed = True
                # The last in the queue: the lock lets nothing follow it.
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            requests, closing = self._taken([self._queue.get()])
            if not requests:
                continue
            results = self._write(requests)
            if self._unavailable is not None:
                # They have waited as long as those that failed, and must not wait as long again; and they were decided
                # without events that are stored after all (`StoredLate`). They are taken before these are told: what is
                # asked for after that gets an attempt of its own.
                waiting, closed = self._taken([])
                _resolve(waiting, [self._unavailable] * len(waiting))
                closing, self._unavailable = closing or closed, None
            _resolve(requests, results)

    def _taken(self, batch: list[WriteRequest | None]) -> tuple[list[WriteRequest], bool]:
        """Return the requests that wait, with those of `batch`, and whether the log was closed after them."""
        while len(batch) < MAX_REQUESTS and not self._queue.empty():
            batch.append(self._queue.get())
        return [request for request in batch if request is not None], None in batch

    def _write(self, requests: Sequence[WriteRequest]) -> list[Result]:
        """Write all in one transaction; if one of them is at fault, each in its own, so that the others succeed.

        Every exception becomes a result: one that ended this thread would leave every later caller waiting.
        """
        try:
            return list(self._store(requests))
        except StorageUnavailable as error:
            self._unavailable = error
        except UNAVAILABLE as error:
            self._unavailable = StorageUnavailable(f"the event log cannot be written: {error}")
        except Exception as error:  # noqa: BLE001 - it is the callers' result, and logged if it is a fault
            if len(requests) > 1:
                return [self._unavailable or self._write([request])[0] for request in requests]
            return [self._translate(requests[0], error)]
        return [self._unavailable] * len(requests)

    def _translate(self, request: WriteRequest, error: Exception) -> JobRecoveryError:
        streams = ", ".join(sorted({event.originator_id for event in request.events}))
        if isinstance(error, JobRecoveryError):
            return error
        if isinstance(error, IntegrityError):
            return ConcurrentWrite(f"{streams} was written to by another process first ({error})")
        if not isinstance(error, DATABASE_ERRORS):
            self._logger.error("events_not_stored", streams=streams, exc_info=error)
        return StorageUnavailable(f"the event log cannot be written: {type(error).__name__}: {error}")


def _retrieve_error(done: asyncio.Future[int]) -> None:
    if not done.cancelled():
        done.exception()


def _resolve(requests: Sequence[WriteRequest], results: Sequence[Result]) -> None:
    """Resolve the futures, with one wake-up of each of their loops."""
    for loop in {request.loop for request in requests}:
        try:
            loop.call_soon_threadsafe(_set_results, loop, requests, results)
        except RuntimeError:
            # Nobody waits in a closed loop.
            if not loop.is_closed():
                raise


def _set_results(loop: asyncio.AbstractEventLoop, requests: Sequence[WriteRequest], results: Sequence[Result]) -> None:
    for request, result in zip(requests, results, strict=True):
        if request.loop is not loop or request.done.done():
            continue
        if isinstance(result, JobRecoveryError):
            request.done.set_exception(result)
        else:
            request.done.set_result(result)
