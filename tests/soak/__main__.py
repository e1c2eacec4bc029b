"""Runs a soak from the command line.

    python -m tests.soak [MINUTES] [--seed SEED]

Prints the result; exit code 1 and the reason if an invariant is violated.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from adapters.simulated_vma import SimulatedVMA
from tests.soak.soak import Soak


def main() -> int:
    """Run the soak and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    print(f"soaking for {asked.minutes:g} min, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, SimulatedVMA() as vma:
        soak = Soak(asked.seed, Path(folder), vma)
        try:
            result = soak.run(asked.minutes * 60)
        except AssertionError as wrong:
            print(f"after {dict(soak.result.hazards)}: {wrong}", file=sys.stderr)
            return 1
        finally:
            soak.service.close()
    counts = f"{result.jobs} jobs, {result.events} events, {result.kills} kills"
    print(f"{result.seconds:.0f} s: {counts}; no event lost or doubled")
    print("hazards: " + ", ".join(f"{count} x {name}" for name, count in result.hazards.most_common()))
    print(f"in the end: {result.states}; every job has its true state or is a guess")
    print(f"memory: {result.memory_first:.0f} MB at first, {result.memory_last:.0f} MB at last")
    return 0


if __name__ == "__main__":
    sys.exit(main())
