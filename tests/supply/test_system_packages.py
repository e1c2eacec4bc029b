"""System packages are installed only by root, or where a variable asks for it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.missing import skip_unless_root

SCRIPTS = Path(__file__).parents[2] / "scripts"
ROOT, NOBODY = 0, 65534
TOOLS = ("bash", "cat", "dirname", "env", "flock", "readlink", "sha256sum", "true", "uname")
OR_ASK = ", or set JOB_RECOVERY_INSTALL=1 to have sudo do it"
INSTALLS = [
    ("reliability/need-strace", "strace"),
    ("need-chromium", "chromium-headless-shell"),
    ("need-postgres", "postgresql pgbouncer"),
    ("setup", "python3-venv"),
]
ASKED = ({"CI": "true"}, {"JOB_RECOVERY_INSTALL": "1"})


@pytest.fixture
def bare() -> Iterator[Path]:
    """Return a Debian with few programs, whose `sudo` and `apt-get` only record their arguments."""
    skip_unless_root("only root can be both kinds of user")
    with tempfile.TemporaryDirectory() as folder:
        machine = Path(folder)
        machine.chmod(0o777)
        (machine / "bin").mkdir()
        for tool in TOOLS:
            (machine / "bin" / tool).symlink_to(str(shutil.which(tool)))
        for name, then in (("sudo", 'shift; exec "$@"'), ("apt-get", "")):
            program = machine / "bin" / name
            program.write_text(f'#!/usr/bin/env bash\necho "{name} $*" >>{machine}/asked\n{then}\n')
            program.chmod(0o755)
        shutil.copytree(SCRIPTS, machine / "project" / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("constraints.txt", "pyproject.toml"):
            shutil.copy(SCRIPTS.parent / name, machine / "project")
        for path in (machine / "bin", machine / "project", *(machine / "project").rglob("*")):
            path.chmod(0o777)
        yield machine


def run(machine: Path, script: str, user: int, **wanted: str) -> tuple[int, str, list[str]]:
    """Run a script; return its exit code, its last line, and what sudo and apt-get were asked for."""
    done = subprocess.run(  # noqa: S603 - our own scripts
        [machine / "project" / "scripts" / script],
        env={"PATH": str(machine / "bin"), **wanted},
        user=user,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    asked = machine / "asked"
    return (
        done.returncode,
        done.stderr.strip().split("\n")[-1],
        asked.read_text().splitlines() if asked.exists() else [],
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("reliability/need-strace", "need-strace: install strace (Debian: apt-get install strace)" + OR_ASK),
        ("need-chromium", "need-chromium: install chromium (Debian: apt-get install chromium)" + OR_ASK),
        (
            "need-postgres",
            "need-postgres: install postgresql and pgbouncer (Debian: apt-get install postgresql pgbouncer)" + OR_ASK,
        ),
        (
            "setup",
            "setup: no Python 3.11 or later with SQLite was found: install one (Debian: python3-venv" + OR_ASK + ")",
        ),
    ],
)
def test_a_user_is_told_what_to_install_and_nothing_is_asked_of_sudo(bare: Path, script: str, says: str) -> None:
    assert run(bare, script, NOBODY) == (2, says, [])


@pytest.mark.parametrize("wanted", ASKED, ids=lambda wanted: next(iter(wanted)))
@pytest.mark.parametrize(("script", "package"), INSTALLS)
def test_a_user_who_asks_for_it_has_it_installed_by_sudo(
    bare: Path, script: str, package: str, wanted: dict[str, str]
) -> None:
    _, _, asked = run(bare, script, NOBODY, **wanted)

    assert any(line.startswith("sudo -n ") and line.endswith(f" {package}") for line in asked)
    assert f"apt-get install -qy --no-install-recommends {package}" in asked


@pytest.mark.parametrize(("script", "package"), INSTALLS)
def test_root_has_it_installed_without_sudo(bare: Path, script: str, package: str) -> None:
    _, _, asked = run(bare, script, ROOT)

    assert asked == ["apt-get update -q", f"apt-get install -qy --no-install-recommends {package}"]


def test_a_machine_without_apt_is_told_what_to_install(bare: Path) -> None:
    (bare / "bin" / "apt-get").unlink()

    assert run(bare, "reliability/need-strace", ROOT, CI="true")[0] == 2
