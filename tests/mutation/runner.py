"""Runs tests again and again, each time in a fork of a process that has the libraries loaded already.

    python -m tests.mutation.runner

Started in a copy of the code. Reads a `Trial` from each line of its input, and answers each with the exit code of its
tests, or with None for tests that did not end in time.
"""

import gc
import importlib.util
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp  # noqa: F401 - loaded once, before the first fork, as all below
import anyio.pytest_plugin  # noqa: F401
import eventsourcing.persistence  # noqa: F401
import fastapi  # noqa: F401
import httpx  # noqa: F401
import hypothesis  # noqa: F401
import msgspec
import pydantic_settings  # noqa: F401
import pytest
import sqlalchemy  # noqa: F401
import statemachine  # noqa: F401
import structlog  # noqa: F401
import uvicorn  # noqa: F401

MEMORY = 4 << 30
"""Bytes that a mutant may take: one that collects without end must not take the machine's."""

# Plugins that the tests of one module do not need, and asserts without their explanation, which nobody reads.
WITHOUT = ("cacheprovider", "pytest_cov", "schemathesis", "xdist")
PYTEST = ("-x", "-q", "--assert=plain", *(f"-pno:{plugin}" for plugin in WITHOUT))


class Trial(msgspec.Struct):
    """Run `tests` for at most `limit` seconds with `source` in the place of the module."""

    module: str
    source: str
    tests: tuple[str, ...]
    limit: float


def exit_code(trial: Trial) -> int | None:
    """Return the exit code of the tests; None if they did not end in time."""
    module = Path(trial.module)
    original = module.read_text()
    # Compiled files are compared by size and second, so a mutant of the same size could go unnoticed.
    Path(importlib.util.cache_from_source(str(module))).unlink(missing_ok=True)
    module.write_text(trial.source)
    try:
        return _in_a_fork(trial)
    finally:
        module.write_text(original)


def _in_a_fork(trial: Trial) -> int | None:
    child = os.fork()
    if not child:
        os._exit(_run(trial))
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    return None if code == -signal.SIGALRM else code


def _run(trial: Trial) -> int:
    os.setsid()
    # The default action of this signal ends the process, whatever it is doing.
    signal.setitimer(signal.ITIMER_REAL, trial.limit)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    return int(pytest.main([*PYTEST, *trial.tests]))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    # What is loaded now stays, so no fork needs to look through it again.
    gc.freeze()
    for line in sys.stdin:
        print(msgspec.json.encode(exit_code(msgspec.json.decode(line, type=Trial))).decode(), flush=True)
