"""Lists the licence of every package that is distributed, and refuses one that forbids it.

These are the Python packages that the service needs, and the npm packages that are in the built web console.

    .venv/bin/python scripts/licences.py [--check FILE]

Prints the list. With --check it prints nothing, and fails if the file is not the same.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "job-recovery"
ALLOWED = re.compile(
    r"MIT(-0| License)?|(\d-Clause )?BSD( License|-\d-Clause)?|Apache(-2\.0| Software License| License 2\.0)?"
    # The LGPL binds who changes the library: it is used as it comes, and can be replaced.
    r"|LGPL-3\.0-only"
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

CONSOLE = Path(__file__).parents[1] / "api/console/dist/licences.json"
"""Written by the build of the console: each npm package that is in it, with the text of its licence."""

CONSOLE_HEAD = """
## In the web console

Every npm package of which the built console contains something. The console has the texts of the licences at
`/licences.json`.

| package | version | licence |
| --- | --- | --- |
"""


class Package(NamedTuple):
    """A package that is distributed with the service."""

    name: str
    version: str
    licence: str


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


def in_service() -> list[Package]:
    """Return the packages that the service needs."""
    packages = {name: distribution(name) for name in sorted(all_needed())}
    return [Package(name, one.version, licence(name, one)) for name, one in packages.items()]


def in_console() -> list[Package]:
    """Return the packages that are in the built console."""
    bundled = json.loads(CONSOLE.read_text(encoding="utf-8"))
    return [Package(one["name"], one["version"], one["identifier"] or "") for one in bundled]


def main() -> int:
    """Print the list, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path)
    asked = parser.parse_args()
    if not CONSOLE.exists():
        print("licences: the web console is not built: run scripts/console", file=sys.stderr)
        return 1
    service, console = in_service(), in_console()
    refused = [f"{one.name}: {one.licence or 'no licence'}" for one in service + console if not is_allowed(one.licence)]
    if refused:
        print("licences: not allowed, or unknown: " + "; ".join(refused), file=sys.stderr)
        return 1
    listed = HEAD + table(service) + CONSOLE_HEAD + table(console)
    if asked.check is None:
        print(listed, end="")
    elif asked.check.read_text(encoding="utf-8") != listed:
        print(f"licences: {asked.check} is not current: run scripts/supply-chain --write", file=sys.stderr)
        return 1
    return 0


def table(packages: list[Package]) -> str:
    """Return the rows of a table."""
    return "".join(f"| {one.name} | {one.version} | {one.licence} |\n" for one in packages)


def is_allowed(stated: str) -> bool:
    """Return whether the licence allows distribution: every part of it, or of one alternative."""
    choices = [re.split(r" AND |, ", choice) for choice in stated.split(" OR ")]
    return any(all(ALLOWED.fullmatch(part.strip()) for part in parts) for parts in choices)


if __name__ == "__main__":
    sys.exit(main())
