"""What is loaded before a mutant is what its tests use, and never the mutated module or what imports it."""

from pathlib import Path

import pytest

from tests.mutation.imports import Imports, name_of

SOURCES = {
    "domain/__init__.py": "",
    "domain/limits.py": "import math",
    "domain/orders.py": "from domain.limits import most",
    "domain/prices.py": "def price():\n    from domain import limits",
    "adapters/files.py": "import adapters.paths\nfrom json.decoder import JSONDecoder",
    "adapters/paths.py": "from domain.prices import price\nfrom adapters import files",
    "adapters/unused.py": "import sched",
    "tests/__init__.py": "",
    "tests/conftest.py": "import wave",
    "tests/support.py": "import domain.orders",
    "tests/domain/test_orders.py": "import tests.support\nimport adapters.files",
}

TEST = "tests.domain.test_orders"


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    for name, source in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return Imports(tmp_path)


def of_the_project(names: list[str]) -> set[str]:
    return {name for name in names if name.startswith(("domain.", "adapters.", "tests."))}


def test_a_module_and_all_that_import_it_directly_or_not_are_loaded_anew(imports: Imports) -> None:
    assert of_the_project(imports.loadable("domain.orders", [TEST])) == {
        "domain.limits", "domain.prices", "adapters.files", "adapters.paths"
    }  # fmt: skip
    assert of_the_project(imports.loadable("domain.limits", [TEST])) == set()


def test_modules_that_import_each_other_are_loaded_anew_together(imports: Imports) -> None:
    for module in ("adapters.files", "adapters.paths"):
        assert of_the_project(imports.loadable(module, [TEST])) == {
            "domain.limits", "domain.orders", "domain.prices", "tests.support"
        }  # fmt: skip


def test_libraries_of_fixtures_and_of_what_is_loaded_anew_are_loaded_before(imports: Imports) -> None:
    assert {"math", "json.decoder", "wave"} <= set(imports.loadable("domain.limits", [TEST]))


def test_what_no_test_uses_is_not_loaded(imports: Imports) -> None:
    assert not {"sched", "adapters.unused"} & set(imports.loadable("domain.orders", [TEST]))


def test_a_package_has_the_name_of_its_folder() -> None:
    assert [name_of(Path(path)) for path in ("domain/__init__.py", "domain/ports.py")] == ["domain", "domain.ports"]
