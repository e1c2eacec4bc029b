"""Lists the licence of every package that the service runs on, and refuses one that it may not be shipped with.

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
SAID_OTHERWISE = {
    "httpx-aiohttp": "BSD-3-Clause",
    "protobuf": "BSD-3-Clause",
    "pysqlite3": "Zlib",
}
"""What these say only in the text of their licence, which was read."""

HEAD = """# Licences

Every package that the service runs on, on Linux x86-64; made by `scripts/supply-chain --write`.

| package | version | licence |
| --- | --- | --- |
"""


def needed_by(name: str, extras: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a package needs on this machine, with the extras asked for."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        environments = [{"extra": extra} for extra in extras] or [{"extra": ""}]
        if wanted.marker is None or any(wanted.marker.evaluate(one) for one in environments):
            yield canonicalize_name(wanted.name), frozenset(wanted.extras)


def all_needed() -> set[str]:
    """Return everything that the service runs on."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [*needed_by(OURS)]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += needed_by(*one)
    return {name for name, _ in seen}


def licence(name: str, package: Distribution) -> str:
    """Return what a package says of its licence."""
    said = package.metadata
    classified = [c.split(" :: ")[-1] for c in said.get_all("Classifier") or () if c.startswith("License :: OSI")]
    first_line = (said.get("License") or "").strip().partition("\n")[0]
    return SAID_OTHERWISE.get(name) or said.get("License-Expression") or ", ".join(classified) or first_line


def main() -> int:
    """Print the list, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", type=Path)
    asked = parser.parse_args()
    packages = {name: distribution(name) for name in sorted(all_needed())}
    licences = {name: licence(name, package) for name, package in packages.items()}
    refused = [f"{name}: {said or 'says nothing'}" for name, said in licences.items() if not is_allowed(said)]
    if refused:
        print("licences: not allowed, or not understood: " + "; ".join(refused), file=sys.stderr)
        return 1
    listed = HEAD + "".join(f"| {name} | {packages[name].version} | {licences[name]} |\n" for name in packages)
    if asked.check is None:
        print(listed, end="")
    elif asked.check.read_text(encoding="utf-8") != listed:
        print(f"licences: {asked.check} is not current: `scripts/supply-chain --write` makes it anew", file=sys.stderr)
        return 1
    return 0


def is_allowed(said: str) -> bool:
    """Whether the service may be shipped with it: with all that is said, or with one where there is a choice."""
    choices = [re.split(r" AND |, ", choice) for choice in said.split(" OR ")]
    return any(all(ALLOWED.fullmatch(part.strip()) for part in parts) for parts in choices)


if __name__ == "__main__":
    sys.exit(main())
