"""Runs simulations from the command line.

    python -m tests.simulation --seeds 10000 [--first 0] [--processes 2] [--several]

Prints every seed that violates an invariant, the speed, and how often each hazard occurred; exit code 1 if there was a
violation. To repeat a printed seed:
`python -m tests.simulation --first SEED --seeds 1`.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.play import play_many, single
from tests.simulation.several import SeveralInstances

CHUNK = 25


def main() -> int:
    """Play the seeds and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--several", action="store_true", help="one to four instances")
    asked = parser.parse_args()
    kind = SeveralInstances if asked.several else single
    seeds = range(asked.first, asked.first + asked.seeds)
    chunks = [list(seeds[start : start + CHUNK]) for start in range(0, len(seeds), CHUNK)]
    began, restarts, events, found = time.monotonic(), 0, 0, 0
    hazards: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.processes) as pool:
        for result in (result for chunk in pool.map(partial(play_many, kind=kind), chunks) for result in chunk):
            restarts, events = restarts + result.restarts, events + result.events
            hazards.update(result.hazards)
            rules.update(result.rules)
            if result.violation:
                found += 1
                print(f"seed {result.seed}: {result.violation}", flush=True)
    took = time.monotonic() - began
    print(f"{asked.seeds} seeds, {found} with a violation; {events} events, {restarts} restarts in {took:.0f} s")
    print(f"{restarts / took:.0f} restarts per second of wall time, on {asked.processes} processes")
    for title, counts in (("hazards", hazards), ("last decisions", rules)):
        print(f"{title}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
