"""Standard output and error of a service: what is written there never blocks and never raises.

A log goes where others decide: to a terminal that goes away, a disk that fills up, a pipe that nobody reads. So lines
wait in a bounded queue, and a thread writes them. What the queue or the file does not take is dropped, and counted.
"""

import io
import os
import queue
import select
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO, TextIO, cast

MAX_LINES = 10_000
"""Lines that wait to be written: some megabytes. More are dropped."""

BATCH_BYTES = 64 * 1024
"""Bytes that are written at once, for after each write the thread may have to wait for the interpreter."""

DRAIN_WITHIN = 1.0
"""Seconds that the end of the process waits for lines to be written."""


class LineQueue(io.RawIOBase):
    """Writes lines to a file, in order, from a thread of its own."""

    def __init__(self, file: int, most: int = MAX_LINES) -> None:
        """Write to a file descriptor; at most `most` lines wait."""
        super().__init__()
        self._file = file
        self._most = most
        # A finalizer may log in the middle of a `put` of the same thread. This queue allows that; a lock would not.
        self._waiting: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._refused = 0
        self._failed = 0
        self._torn = False
        threading.Thread(target=self._run, name=f"output-{file}", daemon=True).start()

    @property
    def dropped(self) -> int:
        """Return how many lines were not written, or not whole."""
        return self._refused + self._failed

    def writable(self) -> bool:
        """Return true."""
        return True

    def isatty(self) -> bool:
        """Return whether a person reads."""
        return os.isatty(self._file)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file

    def write(self, lines: Any) -> int:  # noqa: ANN401 - whatever the base class takes
        """Have lines written, or dropped if too many wait. Returns at once."""
        data = bytes(lines)
        if self._waiting.qsize() >= self._most:
            self._refused += data.count(b"\n")
        else:
            self._waiting.put(data)
        return len(data)

    def drain(self, within: float) -> None:
        """Wait until all lines are written or dropped, but no longer than so many seconds."""
        reached = threading.Event()
        self._waiting.put(reached)
        reached.wait(within)

    def _run(self) -> None:
        while True:
            lines, reached = self._batch()
            self._write_out(b"".join(lines))
            if reached is not None:
                reached.set()

    def _batch(self) -> tuple[list[bytes], threading.Event | None]:
        """Wait for a line; return it and those behind it, and who waits for just these."""
        lines: list[bytes] = []
        size = 0
        while not lines or (size < BATCH_BYTES and not self._waiting.empty()):
            item = self._waiting.get()
            if isinstance(item, threading.Event):
                return lines, item
            lines.append(item)
            size += len(item)
        return lines, None

    def _write_out(self, lines: bytes) -> None:
        """Write lines; those that cannot be written are dropped, and the next are tried again."""
        data = b"\n" + lines if self._torn else lines
        rest = memoryview(data)
        try:
            while rest:
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._file, rest) :]
                    continue
                select.select([], [self._file], [])
        except OSError:
            self._failed += lines[-len(rest) :].count(b"\n")
        done = data[: len(data) - len(rest)]
        self._torn = not done.endswith(b"\n") if done else self._torn


def take_over() -> None:
    """Replace `sys.stdout` and `sys.stderr`, for whatever in this process writes there."""
    sys.stdout, sys.stderr = _queued(sys.stdout), _queued(sys.stderr)


def dropped() -> int:
    """Return how many lines of standard output and error were not written."""
    return sum(lines.dropped for lines in _queues())


def drain() -> None:
    """Wait a little for what was printed to be written; at the end of a process nobody else does."""
    until = time.monotonic() + DRAIN_WITHIN
    for lines in _queues():
        lines.drain(max(0.0, until - time.monotonic()))


def _queued(stream: TextIO | None) -> TextIO:
    """Return a stream that neither blocks nor raises in the place of one; one in memory does neither anyway."""
    # A descriptor that is closed is given to the next file that is opened: better to this one than to the event log.
    replaced = stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    try:
        lines = LineQueue(replaced.fileno())
    except io.UnsupportedOperation:
        return replaced
    return io.TextIOWrapper(cast("BinaryIO", lines), replaced.encoding, "backslashreplace", line_buffering=True)


def _queues() -> list[LineQueue]:
    found = (getattr(stream, "buffer", None) for stream in (sys.stdout, sys.stderr))
    return [lines for lines in found if isinstance(lines, LineQueue)]
