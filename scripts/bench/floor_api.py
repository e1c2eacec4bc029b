"""The floor of the API, as a process of its own: see `floor_app.py`."""

import json
import subprocess
import sys
import tempfile
from contextlib import closing
from typing import IO, Self, cast

import httpx
from processes import ROOT, cpu_of

from tests.support.service import wait_until


class FloorAPI:
    """A FastAPI application on a database with so many rows, each of which is as long as a job that is given."""

    def __init__(self, example: object, rows: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        line = [sys.executable, "scripts/bench/floor_app.py", self._folder.name, str(rows)]
        self._process = subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
        sent, self._printed = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        with closing(sent):
            json.dump(example, sent)
        self.url = self._printed.readline().strip()
        wait_until(self._is_up, what="the floor's API")

    @property
    def cpu(self) -> float:
        """Return the seconds of CPU of the process so far."""
        return cpu_of(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._printed.close()
        self._folder.cleanup()

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/jobs?limit=1", trust_env=False).is_success
        except httpx.TransportError:
            return False
