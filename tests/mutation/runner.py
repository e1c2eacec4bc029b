"""Runs tests again and again, each time in a fork of a process that has loaded all that no mutant changes.

    python -m tests.mutation.runner MODULE TEST ...

Started in a copy of the code, for one module and its tests. Reads a `Trial` from each line of its input, and answers
each with the exit code of its test, or with None for a test that did not end in time.
"""

import gc
import importlib
import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from _pytest.config import builtin_plugins

from tests.mutation.imports import Imports, name_of

MEMORY = 4 << 30
"""Bytes that a mutant may take: one that collects without end must not take the machine's."""

# Plugins that the tests of one module do not need, and asserts without their explanation, which nobody reads.
WITHOUT = ("cacheprovider", "pytest_cov", "schemathesis", "xdist", "xdist.looponfail")
PYTEST = ("-x", "-q", "--assert=plain", *(f"-pno:{plugin}" for plugin in WITHOUT))

# What pytest and anyio load when they run, and no test names.
LATE = (*(f"_pytest.{plugin}" for plugin in builtin_plugins), "anyio.pytest_plugin", "anyio._backends._asyncio")


class Trial(msgspec.Struct):
    """Run a file of tests for at most `limit` seconds with `source` in the place of the module."""

    module: str
    source: str
    test: str
    limit: float


def load(module: Path, tests: Iterable[Path]) -> None:
    """Load all that these tests use and the module has no part in, once for all forks."""
    for name in (*LATE, *Imports(Path.cwd()).loadable(name_of(module), map(name_of, tests))):
        # What is imported from a module of a library need not be a module.
        with suppress(ImportError):
            importlib.import_module(name)
    assert name_of(module) not in sys.modules, f"{module} is loaded before its mutants"
    # What is loaded now stays, so no fork needs to look through it again.
    gc.collect()
    gc.freeze()


def exit_code(trial: Trial) -> int | None:
    """Return the exit code of the test; None if it did not end in time."""
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
    return int(pytest.main([*PYTEST, trial.test]))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    mutated, *tested = map(Path, sys.argv[1:])
    load(mutated, tested)
    for line in sys.stdin:
        print(msgspec.json.encode(exit_code(msgspec.json.decode(line, type=Trial))).decode(), flush=True)
