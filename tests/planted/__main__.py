"""Plants each bug in a copy of the code, and prints the first test that finds it.

    python -m tests.planted [NAME ...] [--processes 2]

The tests of the bug's own list run first, then all tests but the slow ones. Exit code 1 if a bug is not found.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.planted.bug import ROOT, Bug, all_bugs

OWN_LIMIT, WHOLE_LIMIT = 600.0, 1800.0
"""Seconds for a run of a bug's own tests, and of all. A bug by which the tests hang is found, too."""

# In a copy with a bug, the test of the list of bugs would fail by itself.
PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "--ignore=tests/planted")

ALONE = ("-p", "no:xdist", "-p", "no:schemathesis")
"""Without the plugins that a few tests in one process do not need."""

EVERYTHING = ("-m", "not slow", "--dist", "load", "--maxschedchunk", "1")

CONSOLE = "api/console/dist"
"""What is built, and not under version control."""

FAILURE = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)

PASSED = 0


def copy_tree(to: Path) -> None:
    """Copy the files that are under version control, or will be, as they are in the working tree, and the console."""
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - no input of others
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    # Without it, tests of its pages would fail in every copy, and seem to find every bug.
    shutil.copytree(ROOT / CONSOLE, to / CONSOLE)


def first_failure(copy: Path, limit: float, arguments: Sequence[str]) -> str | None:
    """Run tests in the copy for at most `limit` seconds; return the first that fails, or None if all pass.

    Raises:
        RuntimeError: the tests could not be run.

    """
    # A compiled file is compared by size and second, so a bug of the same size could go unnoticed.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    line = [sys.executable, *PYTEST, *arguments]
    # A file, because a pipe has no end while a process that a test left behind has it open.
    with tempfile.TemporaryFile("w+") as output:
        tests = subprocess.Popen(  # noqa: S603 - our own tests
            line, cwd=copy, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = tests.wait(limit)
        except subprocess.TimeoutExpired:
            return f"no end within {limit:g} s of {' '.join(arguments)}"
        finally:
            if tests.poll() is None:
                os.killpg(tests.pid, signal.SIGKILL)
                tests.wait()
        output.seek(0)
        printed = output.read()
    failed = FAILURE.search(printed)
    if failed is None and code != PASSED:
        raise RuntimeError(f"pytest {' '.join(arguments)} ended with {code}:\n{printed[-3000:]}")
    return failed[1] if failed else None


def finder(copy: Path, bug: Bug, everything: Sequence[str]) -> str | None:
    """Return the first test that finds the bug, or None."""
    file = copy / bug.file
    source = file.read_text()
    file.write_text(bug.planted(source))
    try:
        own = first_failure(copy, OWN_LIMIT, [*ALONE, *bug.tests])
        return own or anywhere(copy, everything)
    finally:
        file.write_text(source)


def anywhere(copy: Path, everything: Sequence[str]) -> str | None:
    """Return the first of all tests that finds the bug in the copy, also when its file is run alone; None if none does.

    Beside many others a test may fail for want of time, which would hide that no test finds the bug.
    """
    found = first_failure(copy, WHOLE_LIMIT, everything)
    path = found.partition("::")[0] if found else None
    return first_failure(copy, OWN_LIMIT, [path]) if path and (copy / path).is_file() else found


def main() -> int:
    """Plant the bugs one after the other; return the exit code."""
    # As by Ctrl-C: the running tests, which are in a session of their own, are ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    bugs = {bug.name: bug for bug in all_bugs()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the bugs to plant; all by default")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="for the run of all tests")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - bugs.keys()):
        parser.error(f"no bug {unknown[0]!r}; there are: {', '.join(bugs)}")
    wanted = [bugs[name] for name in asked.names] or list(bugs.values())
    everything = (*EVERYTHING, "--numprocesses", str(asked.processes))
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_tree(copy)
        own = sorted({path for bug in wanted for path in bug.tests})
        if (broken := first_failure(copy, WHOLE_LIMIT, [*ALONE, *own])) is not None:
            sys.exit(f"without a bug, {broken} fails already: mend that first")
        for bug in wanted:
            found = finder(copy, bug, everything)
            missed += found is None
            print(f"{bug.name} -> {found or 'NOT FOUND'}", flush=True)
    print(f"{len(wanted) - missed} of {len(wanted)} bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
