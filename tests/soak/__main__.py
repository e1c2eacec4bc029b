"""Runs a soak from the command line.

    python -m tests.soak [MINUTES] [--seed SEED]

Prints what was done and what came of it; exit code 1 and the reason if something is not as it must be.
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from adapters.simulated_vma import SimulatedVMA
from tests.soak.soak import Soak


def main() -> int:
    """Soak, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=10.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    print(f"soaking for {asked.minutes:g} min, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, SimulatedVMA() as vma:
        soak = Soak(asked.seed, Path(folder), vma)
        try:
            told = soak.run(asked.minutes * 60)
        except AssertionError as wrong:
            print(f"after {dict(soak.told.troubles)}: {wrong}", file=sys.stderr)
            return 1
        finally:
            soak.service.close()
    print(f"{told.seconds:.0f} s: {told.jobs} jobs, {told.events} events, {told.kills} kills; nothing lost or doubled")
    print("troubles: " + ", ".join(f"{count} x {name}" for name, count in told.troubles.most_common()))
    print(f"in the end: {told.states}; every job is what it truly is, or says that it is a guess")
    print(f"memory: {told.memory_first:.0f} MB at first, {told.memory_last:.0f} MB at last")
    return 0


if __name__ == "__main__":
    sys.exit(main())
