"""Which modules are mutated, which tests must notice, and the lowest score of each group: `targets.toml`."""

import tomllib
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Target(msgspec.Struct, frozen=True):
    """A module with its group, and the paths of its tests: few, because each mutant runs them all."""

    module: str
    group: str
    tests: tuple[str, ...]

    @property
    def source(self) -> str:
        """Return the module as it is in the working tree."""
        return (ROOT / self.module).read_text()


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Modules whose score is one: the least percentage, and their tests by module.

    A module without tests of its own has those of the group.
    """

    least: float
    modules: dict[str, list[str]]
    tests: list[str] = []


def groups() -> dict[str, Group]:
    """Return all groups, in the order of the list."""
    return msgspec.convert(tomllib.loads(Path(__file__).with_name("targets.toml").read_text()), dict[str, Group])


def targets() -> list[Target]:
    """Return all targets, in the order of the list."""
    return [
        Target(module, name, tuple(own or group.tests))
        for name, group in groups().items()
        for module, own in group.modules.items()
    ]
