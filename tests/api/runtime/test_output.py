"""Lines are written in order by a thread; a writer never blocks and never fails."""

import fcntl
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.runtime import output
from api.runtime.output import LineQueue

Pipe = tuple[int, int]


@pytest.fixture
def small_pipe() -> Iterator[Pipe]:
    """Return a pipe with a buffer of 4 KiB."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue


def numbered(count: int) -> list[bytes]:
    return [b"line %d\n" % n for n in range(count)]


def test_lines_arrive_in_order_and_whole(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as file:
        lines = LineQueue(file.fileno())
        for line in numbered(5000):
            lines.write(line)
        lines.drain(10)

    assert (tmp_path / "log").read_bytes() == b"".join(numbered(5000))
    assert lines.dropped == 0


def test_a_slow_reader_gets_all_lines(small_pipe: Pipe) -> None:
    reading, writing = small_pipe
    lines = LineQueue(writing)
    for line in numbered(3000):
        lines.write(line)

    expected = b"".join(numbered(3000))
    got = b""
    while len(got) < len(expected):
        got += os.read(reading, 100)

    assert got == expected
    assert lines.dropped == 0


def test_a_full_non_blocking_pipe_is_waited_for(small_pipe: Pipe) -> None:
    reading, writing = small_pipe
    os.set_blocking(writing, False)
    lines = LineQueue(writing)
    for line in numbered(3000):
        lines.write(line)

    expected = b"".join(numbered(3000))
    got = b""
    while len(got) < len(expected):
        got += os.read(reading, 100)

    assert (got, lines.dropped) == (expected, 0)


def test_a_pipe_without_reading_blocks_no_writer_and_excess_lines_are_counted(small_pipe: Pipe) -> None:
    reading, writing = small_pipe
    lines = LineQueue(writing, max_lines=100)
    began = time.monotonic()
    for line in numbered(100_000):
        lines.write(line)
    lines.drain(0.1)
    took = time.monotonic() - began

    dropped = lines.dropped
    assert took < 60
    assert dropped > 90_000
    lines_read = b""
    while lines_read.count(b"\n") < 100_000 - dropped:
        lines_read += os.read(reading, 4096)
    lines.write(b"and on it goes\n")
    assert os.read(reading, 4096) == b"and on it goes\n"


def test_a_closed_pipe_only_drops_lines(small_pipe: Pipe) -> None:
    reading, writing = small_pipe
    lines = LineQueue(writing)
    os.close(reading)

    for line in numbered(7):
        lines.write(line)
    lines.drain(10)

    assert lines.dropped == 7


def test_after_a_full_disk_later_lines_are_written_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb", buffering=0) as file, Path("/dev/full").open("wb", buffering=0) as full:
        writing = os.dup(full.fileno())
        lines = LineQueue(writing)
        lines.write(b"lost\n")
        lines.write(b"lost, too\n")
        lines.drain(10)

        os.dup2(file.fileno(), writing)
        lines.write(b"there is room again\n")
        lines.drain(10)
        os.close(writing)

    assert (log.read_bytes(), lines.dropped) == (b"there is room again\n", 2)


def test_a_line_that_was_cut_is_not_continued_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    honest, room = os.write, [4]

    def disk(file: int, data: bytes | memoryview) -> int:
        if not room[0]:
            raise OSError("no space left")
        written = honest(file, data[: room[0]])
        room[0] -= written
        return written

    with log.open("wb", buffering=0) as file:
        monkeypatch.setattr("api.runtime.output.os.write", disk)
        lines = LineQueue(file.fileno())
        lines.write(b"a line that is cut\n")
        lines.drain(10)
        lines.write(b"lost\n")
        lines.drain(10)
        room[0] = 1000
        lines.write(b"whole\n")
        lines.drain(10)

    assert (log.read_bytes(), lines.dropped) == (b"a li\nwhole\n", 2)


def test_a_stream_writes_each_line_when_it_is_complete(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as file:
        stream = output._queued(file)
        print("one", "two", file=stream)
        print("three", end="", file=stream)
        print(" \N{GREEK SMALL LETTER ALPHA}\nfour", file=stream)
        assert isinstance(stream.buffer, LineQueue)
        stream.buffer.drain(10)

    assert (tmp_path / "log").read_text() == "one two\nthree \\u03b1\nfour\n"


def test_print_writes_through_the_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out, Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", full)

        output.install()
        sys.stdout.write("printed\n")
        sys.stderr.write("lost\n")
        output.drain()

        assert output.dropped() == 1
        assert not sys.stdout.isatty()
        monkeypatch.undo()
    assert (tmp_path / "out").read_text() == "printed\n"


def test_closed_streams_and_streams_in_memory_can_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = io.StringIO()
    monkeypatch.setattr(sys, "stdout", memory)
    # Python sets the stream of a closed descriptor to None.
    monkeypatch.setattr(sys, "stderr", None)

    output.install()
    sys.stdout.write("printed\n")
    sys.stderr.write("to nobody\n")
    output.drain()

    assert (memory.getvalue(), output.dropped()) == ("printed\n", 0)


def test_each_of_several_lines_that_are_refused_at_once_is_counted(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb", buffering=0) as file:
        lines = LineQueue(file.fileno(), max_lines=0)

        for data in (b"one\ntwo\nthree\n", b"four\n"):
            assert lines.write(data) == len(data)
        lines.drain(10)

    assert lines.dropped == 4
    assert (tmp_path / "log").read_bytes() == b""
