"""The console is built when its sources have changed, and a machine that cannot build it is told so in one line.

`node` and `npm` are small programs that record what they are asked for, because the real ones need a network.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "console"
NPM = """#!/usr/bin/env bash
[[ $1 != --version ]] || exit 0
echo "${*:3}" >>"$ASKED"
[[ -z ${BROKEN:-} ]] || { echo "no network"; exit 1; }
case $3 in
    ci) mkdir -p "$2/node_modules" ;;
    run) mkdir -p "$2/dist" && cp "$2/index.html" "$2/dist/" ;;
esac
"""
CI, BUILD = "ci --ignore-scripts --no-audit --no-fund", "run build"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a console of three files."""
    for folder in ("scripts", "bin", "api/console/src"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    for name in ("index.html", "package.json", "package-lock.json"):
        (tmp_path / "api/console" / name).write_text(name)
    for name, text in (("node", "#!/usr/bin/env bash\n"), ("npm", NPM)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(project: Path, *arguments: str, **environment: str) -> tuple[int, list[str], list[str]]:
    """Run the script; return its exit code, its lines, and what npm was asked for."""
    asked = project / "asked"
    asked.write_text("")
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own script
        [project / "scripts" / "console", *arguments],
        env={"PATH": path, "ASKED": str(asked), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.splitlines(), asked.read_text().splitlines()


def test_the_console_is_built_once(project: Path) -> None:
    first, second = run(project), run(project)

    assert (first[0], first[2]) == (0, [CI, BUILD])
    assert (project / "api/console/dist/index.html").is_file()
    assert second == (0, [], [])


@pytest.mark.parametrize(
    ("changed", "asked"),
    [("index.html", [BUILD]), ("src/new.ts", [BUILD]), ("package-lock.json", [CI, BUILD]), ("tests/new.ts", [])],
)
def test_it_is_built_again_after_a_change_of_what_it_is_made_from(
    project: Path, changed: str, asked: list[str]
) -> None:
    run(project)

    (project / "api/console/tests").mkdir()
    (project / "api/console" / changed).write_text("changed")

    assert run(project)[2] == asked
    assert run(project)[2] == []


def test_a_build_that_was_deleted_is_made_again(project: Path) -> None:
    run(project)

    shutil.rmtree(project / "api/console/dist")

    assert run(project)[2] == [BUILD]


def test_a_failure_is_told_and_repeated_only_when_asked_for(project: Path) -> None:
    code, lines, _ = run(project, "--once", BROKEN="1")
    assert (code, lines[1]) == (1, "no network")
    assert lines[-1].startswith("console: the web console is not built (it needs Node 20.19 or later")

    code, lines, asked = run(project, "--once")
    assert (code, asked) == (1, [])
    assert lines == ["console: the web console is not built: the last attempt failed, `scripts/console` repeats it"]

    assert run(project)[0] == 0
    assert run(project, "--once") == (0, [], [])


def test_without_sources_there_is_nothing_to_build(project: Path) -> None:
    (project / "api/console/package.json").unlink()

    assert run(project) == (0, [], [])
