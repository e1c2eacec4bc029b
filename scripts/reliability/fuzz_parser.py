"""Fuzzes the parser of the VMA's replies, guided by coverage; `fuzz` starts it.

An input that raises an error, or is garbage and gives a conclusive status, is stored as `crash-…` and ends the run.
Memory beyond the limit ends it, too.
"""

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import atheris

PARTS = ["dialects", "documents", "disks", "figures", "vocabulary"]

with atheris.instrument_imports(include=[*(f"adapters.vma.{part}" for part in PARTS), "domain.vma_status"]):
    from adapters.vma.dialects import read_reply

from tests.hostile.replies import ASKED, check

STATUSES = (200, 200, 200, 200, 404, 302, 500, 503)
MAX_MEMORY = 150 * 1024
"""Kilobytes."""


def one_input(data: bytes) -> None:
    """Read one reply; the first byte chooses its status."""
    status = STATUSES[data[0] % len(STATUSES)] if data else 200
    body = data[1:]
    check(read_reply(ASKED, status, body, 1.0), status, body)
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_MEMORY:
        raise MemoryError("the parser needs more than 150 MB")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
