"""Group commit: one thread writes, and everything that waits goes into one transaction.

Batching is the one big lever of the write path: a commit costs the same fsync for one event as for a thousand.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence

from eventsourcing.persistence import IntegrityError, PersistenceError

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, JobRecoveryError, StorageUnavailable
from domain.events import Event

MOST = 1000
"""Requests in one transaction; bounds how long the first of them waits."""


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

    def __init__(self, store: Callable[[Sequence[WriteRequest]], list[int]]) -> None:
        """`store` writes all requests in one transaction and returns a log position for each."""
        self._store = store
        self._queue: queue.SimpleQueue[WriteRequest | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
        self._thread.start()

    async def submit(self, events: Sequence[Event], snapshots: Sequence[Snapshot]) -> int:
        """Store the events atomically; return the log position of the last, once it is durable.

        Raises:
            ConcurrentWrite: one of the versions is taken; nothing was stored.
            StorageUnavailable: the log cannot be written now; nothing was stored.

        """
        request = WriteRequest(events, snapshots, asyncio.get_running_loop())
        # A caller that has given up asks for no result, and an error that nobody asks for would be reported as a fault.
        request.done.add_done_callback(_take_note)
        self._queue.put(request)
        # Shielded: a caller that goes away must not leave the writer with a cancelled future.
        return await asyncio.shield(request.done)

    def close(self) -> None:
        """Store what waits, and end the thread."""
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
        """Write all at once; if one of them is in conflict, each by itself, so that the others stand."""
        try:
            return list(self._store(requests))
        except IntegrityError as error:
            if len(requests) == 1:
                return [_conflict(requests[0], error)]
            return [self._write([request])[0] for request in requests]
        except PersistenceError as error:
            unavailable = StorageUnavailable(f"the event log cannot be written: {error}")
            return [unavailable] * len(requests)


def _take_note(done: asyncio.Future[int]) -> None:
    if not done.cancelled():
        done.exception()


def _conflict(request: WriteRequest, error: IntegrityError) -> ConcurrentWrite:
    streams = ", ".join(sorted({event.originator_id for event in request.events}))
    return ConcurrentWrite(f"{streams} was written to by another process first ({error})")


def _resolve(requests: Sequence[WriteRequest], results: Sequence[Result]) -> None:
    """Tell the waiting coroutines, with one wake-up of their loop."""

    def tell() -> None:
        for request, result in zip(requests, results, strict=True):
            if request.done.cancelled():
                continue
            if isinstance(result, JobRecoveryError):
                request.done.set_exception(result)
            else:
                request.done.set_result(result)

    requests[0].loop.call_soon_threadsafe(tell)
