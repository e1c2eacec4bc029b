"""The next release: a copy of the code with one more column in the read model, run as a process of its own."""

import shutil
import sys
from pathlib import Path

from tests.support.process import Process, Started
from tests.support.service import IMPORTING, ServiceProcess

ROOT = Path(__file__).parents[2]
PACKAGES = ("adapters", "api", "domain", "projections")

SCHEMA = "projections/read_model/schema.py"
COLUMN = '    _required("needs_attention", Boolean),\n'
ADDED = COLUMN + '    Column("of_the_next_release", ShortText(20)),\n'


def make_next_release(folder: Path) -> Path:
    """Copy the code to `folder`, with one more column of the jobs, and return the folder."""
    for package in PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    schema = (folder / SCHEMA).read_text()
    assert schema.count(COLUMN) == 1
    (folder / SCHEMA).write_text(schema.replace(COLUMN, ADDED))
    return folder


class NextRelease(ServiceProcess):
    """One `job-recovery serve` of another tree."""

    patience = IMPORTING

    def __init__(self, tree: Path, data_dir: Path, vma_url: str, **settings: str) -> None:
        super().__init__(data_dir, vma_url, **settings)
        self.log_file = data_dir.with_suffix(".next.log")
        self._tree = tree

    def launch(self) -> Process:
        """Start a process that imports the other tree, and not the one in the working directory."""
        line = [sys.executable, "-P", "-c", "import sys; from api.cli.main import main; sys.exit(main(['serve']))"]
        with self.log_file.open("ab") as log:
            return Started(line, {**self.environment, "PYTHONPATH": str(self._tree)}, log.fileno())
