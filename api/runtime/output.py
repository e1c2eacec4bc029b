"""Standard output and error of a service, which never block and never raise.

A log can go to a closed terminal, a full disk, or a pipe without a reader. So lines wait in a bounded queue, and a
thread writes them. Lines that the queue or the file rejects are dropped and counted.
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
"""Maximum lines in the queue: some megabytes. Further lines are dropped."""

BATCH_BYTES = 64 * 1024
"""Bytes per write. After each write, the thread may have to wait for the interpreter lock."""

DRAIN_TIMEOUT = 1.0
"""Seconds that the process waits at its end for queued lines to be written."""


class LineQueue(io.RawIOBase):
    """Writes lines to a file, in order, in a thread of its own."""

    def __init__(self, file: int, max_lines: int = MAX_LINES) -> None:
        """Write to a file descriptor."""
        super().__init__()
        self._file = file
        self._max_lines = max_lines
        # SimpleQueue is reentrant: a finalizer may log in the middle of a `put` of the same thread.
        self._waiting: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._refused = 0
        self._failed = 0
        self._torn = False
        threading.Thread(target=self._run, name=f"output-{file}", daemon=True).start()

    @property
    def dropped(self) -> int:
        """Return the number of lines that were not written completely."""
        return self._refused + self._failed

    def writable(self) -> bool:
        """Return true."""
        return True

    def isatty(self) -> bool:
        """Return whether the file is a terminal."""
        return os.isatty(self._file)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file

    def write(self, lines: Any) -> int:  # noqa: ANN401 - as the base class
        """Queue lines, or drop them if the queue is full. Never blocks."""
        data = bytes(lines)
        if self._waiting.qsize() >= self._max_lines:
            self._refused += data.count(b"\n")
        else:
            self._waiting.put(data)
        return len(data)

    def drain(self, timeout: float) -> None:
        """Wait until all queued lines are written or dropped, or until the timeout, in seconds."""
        reached = threading.Event()
        self._waiting.put(reached)
        reached.wait(timeout)

    def _run(self) -> None:
        while True:
            lines, reached = self._batch()
            self._write_out(b"".join(lines))
            if reached is not None:
                reached.set()

    def _batch(self) -> tuple[list[bytes], threading.Event | None]:
        """Wait for a line; return the lines of one write, and the event of a `drain` that waits for them."""
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
        """Write lines. Lines that cannot be written are dropped; the next call tries again."""
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


def install() -> None:
    """Replace `sys.stdout` and `sys.stderr` of this process by queues."""
    sys.stdout, sys.stderr = _queued(sys.stdout), _queued(sys.stderr)


def dropped() -> int:
    """Return the number of lines of standard output and error that were not written."""
    return sum(lines.dropped for lines in _queues())


def drain() -> None:
    """Wait at the end of the process until queued lines are written, or until the timeout."""
    deadline = time.monotonic() + DRAIN_TIMEOUT
    for lines in _queues():
        lines.drain(max(0.0, deadline - time.monotonic()))


def _queued(stream: TextIO | None) -> TextIO:
    """Return a stream that does not block or raise; a stream in memory is returned unchanged."""
    # Occupy a closed standard descriptor, or the next file that is opened, such as the event log, would get it.
    replaced = stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    try:
        lines = LineQueue(replaced.fileno())
    except io.UnsupportedOperation:
        return replaced
    return io.TextIOWrapper(cast("BinaryIO", lines), replaced.encoding, "backslashreplace", line_buffering=True)


def _queues() -> list[LineQueue]:
    found = (getattr(stream, "buffer", None) for stream in (sys.stdout, sys.stderr))
    return [lines for lines in found if isinstance(lines, LineQueue)]
