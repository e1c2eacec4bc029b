"""The real service as a separate process that starts quickly.

Importing the service takes longer than most tests. So one process per test worker imports it once, and every service
is forked from that one, with its own memory, files and signals.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing.reduction import DupFd
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.cli.main import main

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [
        "api.cli.main",
        "api.http.server",
        "api.runtime.logs",
        "adapters.event_log.postgres_store",
        "adapters.event_log.postgres_copying",
    ]
)


class Process(Protocol):
    """A process that runs `job-recovery serve`."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""

    def kill(self) -> None:
        """Send SIGKILL."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def wait(self, within: float) -> int:
        """Wait at most so many seconds for the end, and return the exit code."""


class ForkedProcess:
    """One command of `job-recovery`, forked."""

    def __init__(self, environment: dict[str, str], output: "Path | Descriptor", command: str = "serve") -> None:
        """Start it; its output goes to a file, or to a file descriptor of this process."""
        # The file must exist before a test reads it. As a daemon, the service ends with the tests.
        if isinstance(output, Path):
            output.touch()
        self._process = _forks.Process(target=_run, args=(environment, output, command), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, within: float) -> int:
        self._process.join(within)
        code = self._process.exitcode
        assert code is not None, f"process {self.pid} has not ended within {within} s"
        return code


class Descriptor:
    """A file descriptor of this process, which a forked process gets a duplicate of."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Callable[[Any], "Descriptor"], tuple[Any]]:
        return _detached, (DupFd(self.number),)


def _detached(duplicate: Any) -> Descriptor:
    return Descriptor(duplicate.detach())


class Started:
    """A process of another program, with its output to a file descriptor."""

    def __init__(self, line: list[str], environment: dict[str, str], output: int) -> None:
        self._process = subprocess.Popen(line, env=environment, stdout=output, stderr=output)  # noqa: S603 - our own
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()

    def wait(self, within: float) -> int:
        return self._process.wait(timeout=within)


def run_together(function: Callable[..., str], arguments: Sequence[tuple[str, ...]]) -> list[str]:
    """Call a function in one process for each argument, all at once, and return the results."""
    results: Queue[str] = _forks.Queue()
    together = _forks.Barrier(len(arguments))
    processes = [_forks.Process(target=_call, args=(function, one, together, results)) for one in arguments]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    return found


def run_until_killed(function: Callable[..., None], *arguments: object) -> None:
    """Call a function in a process, which must end by SIGKILL."""
    process = _forks.Process(target=function, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"


def _call(function: Callable[..., str], arguments: tuple[str, ...], together: Barrier, results: "Queue[str]") -> None:
    together.wait(60)
    try:
        results.put(function(*arguments))
    except BaseException as error:
        results.put(f"{type(error).__name__}: {error}")
        raise


def _run(environment: dict[str, str], output: Path | Descriptor, command: str) -> None:
    """Run a command in this process."""
    os.environ.clear()
    os.environ.update(environment)
    with output.open("ab", buffering=0) if isinstance(output, Path) else os.fdopen(output.number, "wb", 0) as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    # Those of the process that it was forked from hold its output to be a file with positions, which a pipe is not.
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1, closefd=False) for stream in (1, 2))
    sys.exit(main([command]))
