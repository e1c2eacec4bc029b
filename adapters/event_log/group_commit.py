"""Group commit: one thread writes, and everything that waits goes into one transaction.

Batching is the one big lever of the write path: a commit costs the same fsync for one event as for a thousand.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence

from eventsourcing.persistence import IntegrityError, OperationalError, PersistenceError

from adapters.event_log.sqlite import sqlite3
from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, JobRecoveryError, StorageUnavailable
from domain.events import Event
from domain.ports import Log

MOST = 1000
"""Requests in one transaction; bounds how long the first of them waits."""

NOT_NOW = (OperationalError, sqlite3.OperationalError)
"""What keeps every request from being written (disk full, file locked): none of them is at fault."""

DATABASE = (PersistenceError, sqlite3.Error)
"""The errors of the library and of SQLite. Any other is a fault of this program, or of the machine's memory."""


class WriteRequest:
    """Events that belong together, and the future that is resolved when they are durable."""

    def __init__(
        self,
        events: Sequence[Event],
        snapshots: Sequence[Snapshot],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Belong to the loop that waits for it."""
        self.events = events
        self.snapshots = snapshots
        self.loop = loop
        self.done: asyncio.Future[int] = loop.create_future()


Result = int | JobRecoveryError


class GroupCommit:
    """Takes requests from the event loop and stores them in a thread of its own."""

    def __init__(self, store: Callable[[Sequence[WriteRequest]], list[int]], log: Log) -> None:
        """`store` writes all requests in one transaction and returns a log position for each."""
        self._store = store
        self._log = log
        self._closed = False
        self._gate = threading.Lock()
        self._queue: queue.SimpleQueue[WriteRequest | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._thread.start()

    async def submit(self, events: Sequence[Event], snapshots: Sequence[Snapshot]) -> int:
        """Store the events atomically; return the log position of the last, once it is durable.

        Raises:
            ConcurrentWrite: one of the versions is taken; nothing was stored.
            StorageUnavailable: the log cannot be written now, or is closed; nothing was stored.

        """
        request = WriteRequest(events, snapshots, asyncio.get_running_loop())
        # A caller that has given up asks for no result, and an error that nobody asks for would be reported as a fault.
        request.done.add_done_callback(_take_note)
        with self._gate:
            if self._closed:
                raise StorageUnavailable("the event log is closed: the service is stopping")
            self._queue.put(request)
        # Shielded: a caller that goes away must not leave the writer with a cancelled future.
        return await asyncio.shield(request.done)

    def close(self) -> None:
        """Store what waits, refuse what comes later, and end the thread. Safe to repeat."""
        with self._gate:
            if not self._closed:
                self._closed = True
                # The last in the queue: behind the gate nothing can follow it.
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            batch = [self._queue.get()]
            while len(batch) < MOST and not self._queue.empty():
                batch.append(self._queue.get())
            closing = None in batch
            requests = [request for request in batch if request is not None]
            if requests:
                _resolve(requests, self._write(requests))

    def _write(self, requests: Sequence[WriteRequest]) -> list[Result]:
        """Write all at once; if one of them is at fault, each by itself, so that the others stand.

        Whatever is raised becomes a result: an exception that ended this thread would leave every later caller waiting.
        """
        try:
            return list(self._store(requests))
        except NOT_NOW as error:
            return [StorageUnavailable(f"the event log cannot be written: {error}")] * len(requests)
        except Exception as error:  # noqa: BLE001 - it is the callers' answer, and logged if it is a fault
            if len(requests) > 1:
                return [self._write([request])[0] for request in requests]
            return [self._refusal(requests[0], error)]

    def _refusal(self, request: WriteRequest, error: Exception) -> JobRecoveryError:
        streams = ", ".join(sorted({event.originator_id for event in request.events}))
        if isinstance(error, IntegrityError):
            return ConcurrentWrite(f"{streams} was written to by another process first ({error})")
        if not isinstance(error, DATABASE):
            self._log.error("events_not_stored", streams=streams, exc_info=error)
        return StorageUnavailable(f"the event log cannot be written: {type(error).__name__}: {error}")


def _take_note(done: asyncio.Future[int]) -> None:
    if not done.cancelled():
        done.exception()


def _resolve(requests: Sequence[WriteRequest], results: Sequence[Result]) -> None:
    """Tell the waiting coroutines, with one wake-up of each of their loops."""
    for loop in {request.loop for request in requests}:
        try:
            loop.call_soon_threadsafe(_tell, loop, requests, results)
        except RuntimeError:
            # A loop that was closed has nobody left who waits.
            if not loop.is_closed():
                raise


def _tell(loop: asyncio.AbstractEventLoop, requests: Sequence[WriteRequest], results: Sequence[Result]) -> None:
    for request, result in zip(requests, results, strict=True):
        if request.loop is not loop or request.done.done():
            continue
        if isinstance(result, JobRecoveryError):
            request.done.set_exception(result)
        else:
            request.done.set_result(result)
