"""Changes each module of the list a little, mutant by mutant, and runs its tests.

    python -m tests.mutation [GROUP|MODULE ...] [--processes 2] [--every 3]

Prints the mutants that no test noticed, and a score for each module and group; exit code 1 if a group is below its
least score, or the domain as a whole is. With `--every 3`, only every third mutant of a module is tried, and each
score says so.
"""

import argparse
import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
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

TIMES_AS_LONG, AND_SECONDS = 5, 20
"""How much longer than without a mutant the tests may take before they are taken to hang."""


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
    """Several runners, each in its own copy of the code, because a mutant is a changed file."""

    def __init__(self, folder: Path, count: int) -> None:
        self._free: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for number in range(count):
            self._free.put(_started(folder / str(number)))

    def exit_code(self, trial: Trial) -> int | None:
        """Run the trial on a free runner."""
        runner = self._free.get()
        try:
            _pipe(runner.stdin).write(msgspec.json.encode(trial).decode() + "\n")
            _pipe(runner.stdin).flush()
            return msgspec.json.decode(_pipe(runner.stdout).readline(), type=int | None)
        finally:
            self._free.put(runner)


def _started(copy: Path) -> subprocess.Popen[str]:
    copy_tree(copy)
    compileall.compile_dir(copy, quiet=2)
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    line = [sys.executable, "-m", "tests.mutation.runner"]
    return subprocess.Popen(line, cwd=copy, env=environment, stdin=-1, stdout=-1, text=True)  # noqa: S603 - our own module


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def tried(target: Target, every: int, runners: Runners, pool: ThreadPoolExecutor) -> Score:
    """Try every so many-th mutant of a module; return the score. Print it, and each mutant that survived."""
    source = target.source
    limit = _limit(target, runners)

    def survives(mutant: Mutant) -> bool:
        return runners.exit_code(Trial(target.module, mutant.of(source), target.tests, limit)) == 0

    mutants = list(mutants_of(source))[::every]
    survivors = 0
    for mutant, alive in zip(mutants, pool.map(survives, mutants), strict=True):
        if alive:
            survivors += 1
            print(f"survived: {target.module} {mutant.operator}\n{mutant.difference(source)}", flush=True)
    score = Score(len(mutants) - survivors, len(mutants))
    print(f"{target.module}: {score}{'' if every == 1 else f', of one mutant in {every}'}", flush=True)
    return score


def _limit(target: Target, runners: Runners) -> float:
    """Return how many seconds a mutant has; end the program if the tests fail without one."""
    began = time.monotonic()
    code = runners.exit_code(Trial(target.module, target.source, target.tests, BASELINE_LIMIT))
    if code != 0:
        sys.exit(f"without a mutant, the tests of {target.module} end with {code}: {' '.join(target.tests)}")
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
        runners = Runners(Path(folder), asked.processes)
        scores = {target: tried(target, asked.every, runners, pool) for target in chosen}
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
