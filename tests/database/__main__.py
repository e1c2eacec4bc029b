"""Runs scenarios from the command line.

    python -m tests.database [SCENARIO ...] [--short] [--jobs N] [--seconds N]

Prints what was seen; exit code 1 and the reason if a rule is violated.
"""

import argparse
import sys
from collections.abc import Callable

import msgspec

from tests.database.connections import connections
from tests.database.locks import lock
from tests.database.messages import messages
from tests.database.neighbours import limits
from tests.database.passwords import password
from tests.database.restarts import recovery, restarts
from tests.database.silences import silence
from tests.database.site import LONG, SHORT, Figures, Size
from tests.database.starts import starts
from tests.database.time_zones import time_zone
from tests.support.awake import awake

SCENARIOS: dict[str, Callable[[Size], Figures]] = {
    scenario.__name__: scenario
    for scenario in (restarts, recovery, starts, limits, password, silence, lock, connections, time_zone, messages)
}


def main() -> int:
    """Run the scenarios and print what they have seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--short", action="store_true", help="a few jobs and seconds, as the tests do")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--seconds", type=float)
    asked = parser.parse_args()
    if unknown := set(asked.scenarios) - SCENARIOS.keys():
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    changes = {name: value for name in ("jobs", "seconds") if (value := getattr(asked, name)) is not None}
    size = msgspec.structs.replace(SHORT if asked.short else LONG, **changes)
    results = [_run(name, size) for name in asked.scenarios or SCENARIOS]
    return 0 if all(results) else 1


def _run(name: str, size: Size) -> bool:
    """Run one scenario; return whether no rule was violated."""
    print(f"{name}: {size.jobs} jobs", flush=True)
    began = awake()
    try:
        found = SCENARIOS[name](size)
    except AssertionError as wrong:
        print(f"  VIOLATED after {awake() - began:.0f} s: {wrong}", file=sys.stderr, flush=True)
        print(*getattr(wrong, "__notes__", []), sep="\n", file=sys.stderr, flush=True)
        return False
    for what, value in found.items():
        print(f"  {what}: {value}")
    print(f"  {awake() - began:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
