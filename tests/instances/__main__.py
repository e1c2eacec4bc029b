"""Runs several instances under hazards, and prints what became of their jobs.

    python -m tests.instances [SCENARIO ...] [--jobs N] [--rounds N]

Exit code 1 and the reason if a rule is violated.
"""

import argparse
import secrets
import sys
from collections.abc import Callable

from tests.instances.namespace import namespace
from tests.instances.scenarios import Figures, Size, cut, freeze, hazards, server_restarts
from tests.instances.upgrade import upgrade
from tests.support.network_namespace import missing

SCENARIOS: dict[str, Callable[[Size], Figures]] = {
    scenario.__name__: scenario for scenario in (hazards, server_restarts, cut, freeze, upgrade, namespace)
}
MISSING: dict[str, Callable[[], str | None]] = {"namespace": missing}
"""What a scenario needs and the machine does not have; None: it can run."""


def main() -> int:
    """Run the scenarios and print what they have seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    for name, default in (("instances", 3), ("vmas", 6), ("jobs", 3000), ("rounds", 20), ("restarts", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--stopped", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    if unknown := set(asked.scenarios) - SCENARIOS.keys():
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    size = Size(**{name: getattr(asked, name) for name in Size.__struct_fields__})
    results = [_run(name, size) for name in asked.scenarios or SCENARIOS]
    return 0 if all(results) else 1


def _run(name: str, size: Size) -> bool:
    """Run one scenario; return whether no rule was violated, also if it is skipped."""
    print(f"{name}: {size}", flush=True)
    if name in MISSING and (why := MISSING[name]()):
        print(f"  skipped: {why}", flush=True)
        return True
    try:
        found = SCENARIOS[name](size)
    except AssertionError as wrong:
        print(f"  VIOLATED: {wrong}", file=sys.stderr, flush=True)
        return False
    for what, value in found.items():
        for line in value if isinstance(value, list) else [value]:
            print(f"  {what}: {line}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
