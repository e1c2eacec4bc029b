"""Asks a service many questions while it is killed, from the command line.

    python -m tests.oracle [--questions 100000] [--kills 50] [--seed SEED] [--log postgres]

Prints the counts; exit code 1 and the difference if an answer is not the one that the log gives.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.oracle.examination import examine
from tests.support import logs

COMMANDS = 0.003
"""Share of questions that are asked by the command line: each starts a process."""


def main() -> int:
    """Run the examination and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--log", choices=logs.ENGINES, default=logs.SQLITE, help="the engine of the event log")
    asked = parser.parse_args()
    logs.choose(asked.log)
    print(f"asking {asked.questions} questions with {asked.kills} kills, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = examine(asked.seed, Path(folder), asked.questions, asked.kills, COMMANDS)
        except AssertionError as difference:
            print(difference, file=sys.stderr)
            return 1
    print(f"{result.seconds:.0f} s: {result.questions.total()} questions, {result.kills} kills, 0 differences")
    print(f"the log has {result.jobs} jobs, {result.runs} runs and {result.events} events")
    print("questions: " + ", ".join(f"{count} x {name}" for name, count in result.questions.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
