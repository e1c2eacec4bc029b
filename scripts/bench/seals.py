"""Measures the cost of seals on the write path: the same history with and without seals, in turn.

    .venv/bin/python scripts/bench/seals.py [EVENTS]

Prints the median seconds of each and their ratio.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from history import History

from adapters.event_log.sqlite_store import SQLiteEventLog

ROUNDS = 7


def write(events: int, folder: Path) -> float:
    """Write a history to a new log; return the seconds."""
    log = SQLiteEventLog(folder / "events.sqlite")
    began = time.perf_counter()
    asyncio.run(History(log).write(events))
    took = time.perf_counter() - began
    log.close()
    return took


def main(events: int) -> None:
    """Measure the two in turn and print the ratio."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for sealed, measured in times.items():
            with tempfile.TemporaryDirectory() as folder:
                if sealed:
                    measured.append(write(events, Path(folder)))
                else:
                    with patch("adapters.event_log.sqlite_recorder._seal"):
                        measured.append(write(events, Path(folder)))
    with_seals, without = statistics.median(times[True]), statistics.median(times[False])
    print(f"{events} events: {with_seals:.2f} s with seals, {without:.2f} s without; ratio {with_seals / without:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12_000)
