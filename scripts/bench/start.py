"""Measures a start: `serve` until it is live beside importing its libraries, `--help` beside `python -c pass`.

    .venv/bin/python scripts/bench/start.py [--counts EVENTS ...] [--repetitions N] [--short] [--json FILE]

All figures are seconds of CPU. `--counts` are the lengths of the log, with a current read model.
"""

import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from figures import Figure, Measured, Size, command, side_by_side
from history import History
from processes import NewProcess, run

from adapters.event_log.sqlite_store import SQLiteEventLog
from tests.support.service import wait_until

LIBRARIES = (
    "aiohttp, eventsourcing.persistence, fastapi, httpx, httpx_aiohttp, msgspec, prometheus_client, pydantic_settings,"
    "sqlalchemy, statemachine, structlog, uvicorn"
)
"""Those of a service on SQLite."""

NO_VMA = "http://127.0.0.1:9"

PATIENCE = 300.0


def measure(size: Size) -> list[Figure]:
    """Measure `--help`, and a start with each length of the log, which begins with none."""
    figures = side_by_side(
        lambda: {"--help": run("-c", "pass").cpu},
        lambda: {"--help": run("-m", "api", "--help").cpu},
        size._replace(repetitions=3 * size.repetitions),
        {"--help": "< 8"},
    )
    return figures + [figure for events in (0, *size.counts) for figure in _serve(events, size)]


def _serve(events: int, size: Size) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        service = NewProcess(Path(folder) / "data", NO_VMA, POLL_INTERVAL="60")
        service.data_dir.mkdir()
        service.patience = PATIENCE
        try:
            _write(service, events)
            name = f"live, log of {events:,} events"
            goal = {name: "< 1.35" if events else "< 0.9"}
            return side_by_side(
                lambda: {name: run("-c", f"import {LIBRARIES}").cpu}, partial(_live, service, name), size, goal
            )
        finally:
            service.close()


def _write(service: NewProcess, events: int) -> None:
    """Write a history by the real write path, and let the service derive its read model."""
    if not events:
        return
    log = SQLiteEventLog(service.data_dir / "events.sqlite")
    asyncio.run(History(log).write(events))
    log.close()
    service.start(ready=False)
    wait_until(lambda: service.get("/readyz").is_success, PATIENCE, "projected", 1)
    service.terminate()


def _live(service: NewProcess, name: str) -> Measured:
    service.begin()
    wait_until(lambda: service.logged("service_started"), PATIENCE, "live", 0.005)
    cpu = service.cpu
    service.kill()
    return {name: cpu}


if __name__ == "__main__":
    command(__doc__, measure, counts=(100_000,), short=2_000)
