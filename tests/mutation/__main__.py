"""Changes each module of the list a little, mutant by mutant, and runs its tests.

    python -m tests.mutation [GROUP|MODULE ...] [--processes 2] [--every 3]

Prints the mutants that no test noticed, those by which tests hung, and a score for each module and group; exit code 1
if a group is below its least score, or the domain as a whole is. With `--every 3`, only every third mutant of a module
is tried, and each score says so.
"""

import argparse
import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO, NamedTuple

import msgspec

from tests.mutation.mutant import Mutant, mutants_of
from tests.mutation.runner import Trial
from tests.mutation.target import Target, groups, targets
from tests.planted.__main__ import copy_tree

DOMAIN, DOMAIN_LEAST = "domain/", 90.0
"""Where the rules are, and the least score of all its modules together."""

BASELINE_LIMIT = 300.0

TIMES_AS_LONG, AND_SECONDS = 4, 8
"""How much longer than without a mutant a file of tests may take before it is taken to hang."""

REMARKABLE = {0: "survived", None: "hung"}
"""Exit codes of tests that are looked at: a machine that stands still makes tests hang, and the score better."""


class Score(NamedTuple):
    """How many mutants were noticed, of how many."""

    killed: int = 0
    tried: int = 0

    def __str__(self) -> str:
        return f"{self.percent:.1f} % ({self.killed} of {self.tried})"

    @property
    def percent(self) -> float:
        """Return 100 for a module without mutants: nothing went unnoticed."""
        return 100 * self.killed / self.tried if self.tried else 100.0


class Runners:
    """Several runners for one module, each in its own copy of the code, because a mutant is a changed file."""

    def __init__(self, target: Target, copies: Iterable[Path]) -> None:
        self._module = target.module
        self._all = [_started(target, copy) for copy in copies]
        self._free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for runner in self._all:
            self._free.put(runner)

    def exit_code(self, source: str, test: str, limit: float) -> int | None:
        """Run a file of tests on a free runner, with `source` in the place of the module."""
        runner = self._free.get()
        try:
            trial = Trial(self._module, source, test, limit)
            _pipe(runner.stdin).write(msgspec.json.encode(trial).decode() + "\n")
            _pipe(runner.stdin).flush()
            return msgspec.json.decode(_pipe(runner.stdout).readline(), type=int | None)
        finally:
            self._free.put(runner)

    def end(self) -> None:
        """End all runners: without input they have nothing to do."""
        for runner in self._all:
            runner.communicate()


def copies(folder: Path, count: int) -> list[Path]:
    """Make so many compiled copies of the code."""
    made = [folder / str(number) for number in range(count)]
    for copy in made:
        copy_tree(copy)
        compileall.compile_dir(copy, quiet=2)
    return made


def _started(target: Target, copy: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    line = [sys.executable, "-m", "tests.mutation.runner", target.module, *target.tests]
    return subprocess.Popen(line, cwd=copy, env=environment, stdin=-1, stdout=-1, text=True)  # noqa: S603 - our own module


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def tried(target: Target, every: int, copies: Iterable[Path], pool: ThreadPoolExecutor) -> Score:
    """Try every so many-th mutant of a module; print and return the score."""
    runners = Runners(target, copies)
    limits = dict(zip(target.tests, pool.map(lambda test: _limit(target, test, runners), target.tests), strict=True))
    mutants = list(mutants_of(target.source))[::every]
    endings = pool.map(lambda mutant: _ending(mutant.of(target.source), limits, runners), mutants)
    codes = [_told(target, *one) for one in zip(mutants, endings, strict=True)]
    runners.end()
    score = Score(len(codes) - codes.count(0), len(codes))
    print(f"{target.module}: {score}{_remarks(codes.count(None), every)}", flush=True)
    return score


def _ending(source: str, limits: Mapping[str, float], runners: Runners) -> int | None:
    """Return the exit code of the first file of tests that fails, None if it hangs; 0 if none fails."""
    codes = (runners.exit_code(source, test, limit) for test, limit in limits.items())
    return next((code for code in codes if code != 0), 0)


def _told(target: Target, mutant: Mutant, code: int | None) -> int | None:
    """Print a mutant that has survived or hung; return the exit code."""
    if code in REMARKABLE:
        difference = mutant.difference(target.source)
        print(f"{REMARKABLE[code]}: {target.module} {mutant.operator}\n{difference}", flush=True)
    return code


def _remarks(hung: int, every: int) -> str:
    """Return what a score does not say."""
    return (f", {hung} of these hung" if hung else "") + (f", of one mutant in {every}" if every > 1 else "")


def _limit(target: Target, test: str, runners: Runners) -> float:
    """Return how many seconds a file of tests has for a mutant; end the program if it fails without one."""
    began = time.monotonic()
    code = runners.exit_code(target.source, test, BASELINE_LIMIT)
    if code != 0:
        sys.exit(f"without a mutant of {target.module}, {test} ends with {code}")
    return TIMES_AS_LONG * (time.monotonic() - began) + AND_SECONDS


def passed(name: str, scores: Iterable[Score], least: float) -> bool:
    """Print the score of several modules together; return whether it suffices."""
    together = Score(*map(sum, zip(*scores, strict=True)))
    print(f"{name}: {together}, at least {least:g} %")
    return together.percent >= least


def wanted(names: list[str], parser: argparse.ArgumentParser) -> list[Target]:
    """Return the targets of the groups and modules that are asked for; all by default."""
    every = targets()
    known = {name for target in every for name in (target.group, target.module)}
    if unknown := sorted(set(names) - known):
        parser.error(f"no group or module {unknown[0]!r}; groups are: {', '.join(groups())}")
    return [target for target in every if not names or {target.group, target.module} & set(names)]


def main() -> int:
    """Try the mutants of one module after the other; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="GROUP|MODULE", help="what to mutate; all by default")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many mutants at once")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try one mutant in N; all by default")
    asked = parser.parse_args()
    chosen = wanted(asked.names, parser)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.processes) as pool:
        made = copies(Path(folder), asked.processes)
        scores = {target: tried(target, asked.every, made, pool) for target in chosen}
    results = [
        passed(name, [score for target, score in scores.items() if target.group == name], group.least)
        for name, group in groups().items()
        if any(target.group == name for target in scores)
    ]
    domain = [score for target, score in scores.items() if target.module.startswith(DOMAIN)]
    if not asked.names:
        results.append(passed(DOMAIN, domain, DOMAIN_LEAST))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
