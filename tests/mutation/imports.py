"""Which modules can be loaded before a mutant: all that its tests import, but for those that import the mutated one.

A fork has what its parent has loaded, so each trial loads only the rest. Imports are read from the source, because
loading a module in order to see what it imports would already load the mutated one.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDERS = ("domain", "projections", "adapters", "api", "tests")


def name_of(path: Path) -> str:
    """Return the name of the module of a file, whose path is relative to the root of the project."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Imports:
    """What each module of the project imports, at its top or later."""

    def __init__(self, root: Path) -> None:
        """Read the sources below `root`."""
        paths = [path for folder in FOLDERS for path in (root / folder).rglob("*.py")]
        self._of = {name: set(_imported(name, path)) for path in paths if (name := name_of(path.relative_to(root)))}

    def loadable(self, module: str, tests: Iterable[str]) -> list[str]:
        """Return what tests import, directly or not, and is the same for every mutant of the module.

        Names that are no modules are among those of libraries. Tests and their fixtures are left to pytest.
        """
        dependents = self._dependents(module)
        return sorted(
            name
            for name in self._reached(tests)
            if name.split(".")[0] not in FOLDERS or (name in self._of.keys() - dependents and not _is_pytests(name))
        )

    def _reached(self, tests: Iterable[str]) -> set[str]:
        """Return all names that tests and the fixtures of their folders import, directly or not."""
        found = {name for test in tests for name in (test, *(f"{folder}.conftest" for folder in _folders(test)))}
        todo = list(found)
        while todo:
            more = self._of.get(todo.pop(), set()) - found
            found |= more
            todo += more
        return found

    def _dependents(self, module: str) -> set[str]:
        """Return the module and all that import it, directly or not."""
        found = {module}
        while more := {name for name, imported in self._of.items() if imported & found} - found:
            found |= more
        return found


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield all names that a module imports, and the packages of each and of itself, which are loaded before."""
    yield from _folders(name)
    for node in ast.walk(ast.parse(path.read_text())):
        for imported in _names(node):
            yield from (imported, *_folders(imported))


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module)):
            # Each may be a module or something in one.
            return [f"{module}.{alias.name}" for alias in node.names]
        case _:
            return []


def _folders(name: str) -> list[str]:
    """Return the packages that a module is in, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _is_pytests(name: str) -> bool:
    return name.rsplit(".", maxsplit=1)[-1].startswith(("test_", "conftest"))
