"""What a distribution contains: the packages and the built console, so that installing needs no Node."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from api.http.console import DIST

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Build this project; return the names of the files in its wheel and in its source distribution."""
    folder = tmp_path_factory.mktemp("distributions")
    line = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True, timeout=120)  # noqa: S603 - the pinned build tool
    ((wheel,), (source,)) = (list(folder.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    with zipfile.ZipFile(wheel) as archive, tarfile.open(source) as sources:
        # The names in a source distribution begin with its own folder.
        from_source = {one.name.partition("/")[2] for one in sources if one.isfile()}
        return {"wheel": set(archive.namelist()), "source": from_source}


@pytest.mark.parametrize("kind", ["wheel", "source"])
def test_a_distribution_has_the_built_console_with_its_licences_and_without_its_sources(
    distributions: dict[str, set[str]], kind: str
) -> None:
    built = {f"api/console/dist/{path.relative_to(DIST).as_posix()}" for path in DIST.rglob("*") if path.is_file()}

    needed = {"api/console/dist/index.html", "api/console/dist/licences.json"}
    assert needed <= built, "the console is not built: scripts/console says why"
    assert {name for name in distributions[kind] if name.startswith("api/console/")} == built


def test_the_wheel_has_the_packages_and_nothing_that_only_a_clone_needs(distributions: dict[str, set[str]]) -> None:
    top = {name.partition("/")[0] for name in distributions["wheel"]}

    assert {"domain", "projections", "adapters", "api"} == {name for name in top if not name.endswith(".dist-info")}
    assert not [name for name in distributions["wheel"] if "node_modules" in name or "/tests/" in name]
