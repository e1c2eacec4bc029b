"""Runs several instances under hazards, and prints what became of their jobs: `scripts/reliability/instances`."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.instances.site import Site, hazards
from tests.instances.truth import check


def main() -> int:
    """Run the rounds, and print the result of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("instances", 3), ("vmas", 6), ("jobs", 3000), ("rounds", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    print(f"{asked.jobs} jobs on {asked.vmas} VMAs, {asked.instances} instances, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder), asked.instances, asked.vmas, asked.jobs) as site:
        site.register()
        site.unpolled()
        for number, (hazard, which) in enumerate(hazards(asked.seed, asked.rounds, asked.instances), start=1):
            hazard(site.instances[which])
            site.settle()
            longest = site.unpolled()
            print(f"{number:3} {hazard.__name__:13} instance {which}: unpolled for {longest:.1f} s at most", flush=True)
        events = check(site)
    print(f"{events} events: none lost or doubled, no job decided twice in a run, and every read model is the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
