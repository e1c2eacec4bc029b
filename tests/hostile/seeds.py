"""Writes the seeds of a fuzzer: documents of the simulated VMA, and earlier findings."""

import json
import sys
from pathlib import Path

from adapters.simulated_vma.world import World
from tests.hostile.replies import ASKED, KEYS, WORDS
from tests.hostile.test_any_reply import CORPUS


def seeds() -> list[bytes]:
    """Return replies of every generation and outcome."""
    world, found = World(lambda: 30.0), list(CORPUS)
    for number, reports in enumerate(("exports", "both", "shared_export")):
        for outcome in ("complete", "fail", "hang"):
            name = f"job-{number}-{outcome}"
            world.add_job(name, ["disk-1"], reports=reports, outcome=outcome, duration=20.0, error="disk is full")
            document = world.progress_of(ASKED)
            found.append(json.dumps(document).encode())
    return found


def main(folder: Path, dictionary: Path) -> None:
    """Write a file for each reply, and a dictionary of their parts."""
    for place, seed in enumerate(seeds()):
        # Its first byte chooses the status: 200.
        (folder / f"seed-{place}").write_bytes(b"\x00" + seed)
    tokens = [
        *(json.dumps(token) for token in (*KEYS, *WORDS, ASKED)),
        ": ",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "NaN",
        "100.0",
        "1e400",
    ]
    dictionary.write_text("".join(json.dumps(token) + "\n" for token in tokens))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
