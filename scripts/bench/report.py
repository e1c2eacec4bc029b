"""Runs all benchmarks that have a floor, and writes docs/performance.md with its plot.

    .venv/bin/python scripts/bench/report.py [--short] [--page] [NAME ...]

Names are those of the benchmarks; without names, all. The figures of each are also in build/bench, and the page is made
of all that are there; with --page nothing is measured. Needs about half an hour, alone on the machine; with
--short some minutes.
"""

import argparse
import ast
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from figures import Figure, table
from plot import bars

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOUND = ROOT / "build/bench"
PAGE, PLOT = ROOT / "docs/performance.md", ROOT / "docs/images/performance.svg"

BENCHMARKS = (
    "recovery",
    "polling",
    "instances",
    "start",
    "registering",
    "appending",
    "rebuilding",
    "loading",
    "reading",
    "peer",
)
TITLES = {"instances": "Several instances"}
"""Those of the sections that are not the name of the benchmark."""

HEAD = """# Performance

Each figure is beside its floor: the same real work with nothing of ours in it. Both are measured in turn in one run,
and the ratio is the median of the pairs, with the least and the largest one. The pace of a machine varies within
minutes, so seconds compare nothing but what is in one table; ratios do.

Measured on {day}, {machine}; the simulated VMA, the clients and the service share it.

![Each ratio beside its goal](images/performance.svg)

Right of the line, a goal is reached. Goals are the project's own; no test asserts them. Made by
`scripts/bench/report.py`; each table is also printed by its own command.
"""


def measure(names: list[str], *, short: bool) -> None:
    """Run these benchmarks."""
    FOUND.mkdir(parents=True, exist_ok=True)
    for name in names or BENCHMARKS:
        # The peer has a script of its own, which sets it up.
        script = [str(HERE / name)] if (HERE / name).exists() else [sys.executable, str(HERE / f"{name}.py")]
        print(f"== {name}", flush=True)
        options = ["--json", str(FOUND / f"{name}.json"), *(["--short"] if short else [])]
        subprocess.run([*script, *options], cwd=ROOT, check=True)  # noqa: S603 - ours


def write() -> None:
    """Write the page of all figures that there are."""
    figures = {name: _figures(name) for name in BENCHMARKS if (FOUND / f"{name}.json").exists()}
    machine = f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"
    parts = [HEAD.format(day=datetime.now(UTC).date(), machine=machine), *map(_part, figures, figures.values())]
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    PLOT.write_text(bars([one for some in figures.values() for one in some]), encoding="utf-8")


def _figures(name: str) -> list[Figure]:
    return [Figure(**one) for one in json.loads((FOUND / f"{name}.json").read_text(encoding="utf-8"))]


def _part(name: str, figures: list[Figure]) -> str:
    about = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))) or ""
    first, usage, *rest = about.split("\n\n")
    return (
        "\n\n".join([f"## {TITLES.get(name, name.capitalize())}", first, *rest, table(figures), f"`{usage.strip()}`"])
        + "\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--short", action="store_true", help="a little of everything, once")
    parser.add_argument("--page", action="store_true", help="write the page only")
    asked = parser.parse_args()
    if not asked.page:
        measure(asked.names, short=asked.short)
    write()
