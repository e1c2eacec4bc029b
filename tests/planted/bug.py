"""Bugs as data: an exact text of one file, and what replaces it."""

import tomllib
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]

BUGS = Path(__file__).with_name("bugs.toml")


class Bug(msgspec.Struct, frozen=True, kw_only=True):
    """A bug: in `file`, `text` becomes `replacement`. `tests` are the paths that are tried first."""

    name: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]

    def planted(self, source: str) -> str:
        """Return the source of the file with the bug.

        Raises:
            ValueError: the text does not occur exactly once, so the bug is stale; or the result is not Python.

        """
        found = source.count(self.text)
        if found != 1:
            raise ValueError(f"the bug {self.name} is stale: its text occurs {found} times in {self.file}, not once")
        changed = source.replace(self.text, self.replacement)
        compile(changed, self.file, "exec")
        return changed


def all_bugs() -> list[Bug]:
    """Return all bugs, in the order of the list."""
    listed = tomllib.loads(BUGS.read_text())
    return [msgspec.convert({"name": name, **fields}, Bug, strict=True) for name, fields in listed.items()]
