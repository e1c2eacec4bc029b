"""Lists the licence of every package that the service needs, and refuses one that forbids distribution with it.

    .venv/bin/python scripts/licences.py [--check FILE]

Prints the list. With --check it prints nothing, and fails if the file is not the same.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "job-recovery"
ALLOWED = re.compile(
    r"MIT(-0| License)?|(\d-Clause )?BSD( License|-\d-Clause)?|Apache(-2\.0| Software License| License 2\.0)?"
    r"|PSF-2\.0|Python Software Foundation License|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)|ISC|Zlib"
)
READ_BY_HAND = {
    "httpx-aiohttp": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "pysqlite3": "Zlib",
}
"""Licences that only the text of the licence states."""

HEAD = """# Licences

Every package that the service runs on, on Linux x86-64; made by `scripts/supply-chain --write`.

| package | version | licence |
| --- | --- | --- |
"""


def needed_by(name: str, extras: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the packages that a package needs on this machine, with these extras."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        environments = [{"extra": extra} for extra in extras] or [{"extra": ""}]
        if wanted.marker is None or any(wanted.marker.evaluate(one) for one in environments):
            yield canonicalize_name(wanted.name), frozenset(wanted.extras)


def all_needed() -> set[str]:
    """Return all packages that the service needs."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [*needed_by(OURS)]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += needed_by(*one)
    return {name for name, _ in seen}


def licence(name: str, package: Distribution) -> str:
    """Return the licence that a package states."""
    stated = package.metadata
    classified = [c.split(" :: ")[-1] for c in stated.get_all("Classifier") or () if c.startswith("License :: OSI")]
    first_line = (stated.get("License") or "").strip().partition("\n")[0]
    return READ_BY_HAND.get(name) or stated.get("License-Expression") or ", ".join(classified) or first_line


def main() -> int:
    """Print the list, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path)
    asked = parser.parse_args()
    packages = {name: distribution(name) for name in sorted(all_needed())}
    licences = {name: licence(name, package) for name, package in packages.items()}
    refused = [f"{name}: {stated or 'no licence'}" for name, stated in licences.items() if not is_allowed(stated)]
    if refused:
        print("licences: not allowed, or unknown: " + "; ".join(refused), file=sys.stderr)
        return 1
    listed = HEAD + "".join(f"| {name} | {packages[name].version} | {licences[name]} |\n" for name in packages)
    if asked.check is None:
        print(listed, end="")
    elif asked.check.read_text(encoding="utf-8") != listed:
        print(f"licences: {asked.check} is not current: run scripts/supply-chain --write", file=sys.stderr)
        return 1
    return 0


def is_allowed(stated: str) -> bool:
    """Return whether the licence allows distribution: every part of it, or of one alternative."""
    choices = [re.split(r" AND |, ", choice) for choice in stated.split(" OR ")]
    return any(all(ALLOWED.fullmatch(part.strip()) for part in parts) for parts in choices)


if __name__ == "__main__":
    sys.exit(main())
