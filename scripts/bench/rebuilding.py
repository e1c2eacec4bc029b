"""Measures a rebuild of the read model on SQLite, beside SELECT, decode, and bulk inserts of the same rows.

    .venv/bin/python scripts/bench/rebuilding.py [--counts EVENTS ...] [--repetitions N] [--short] [--json FILE]

The history has jobs of 50 events each, with two recovery runs. The floor inserts the rows of all tables, those of the
audit trail included, by SQLite alone into the same schema, in transactions of as many rows.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
from figures import Figure, Size, command, side_by_side
from history import History
from sqlalchemy import create_engine

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.clock import SystemClock
from adapters.null_logger import NullLogger
from projections.read_model.model_file import open_read_model, request_rebuild
from projections.read_model.projector import BATCH, Projector
from projections.read_model.schema import metadata

Rows = dict[str, list[Any]]

SELECT = "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"


def measure(size: Size) -> list[Figure]:
    """Measure each length of the log."""
    return [figure for events in size.counts for figure in _of_log(events, size)]


def _of_log(events: int, size: Size) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = SQLiteEventLog(folder / "events.db")
        try:
            asyncio.run(History(log).write(events))
            asyncio.run(_rebuild(log, folder))
            rows = _rows(folder / "read_model.sqlite")
            rate = f"{events:,} events: applied per second of CPU"
            return side_by_side(
                lambda: {rate: log.position / _by_hand(folder, rows)},
                lambda: {rate: log.position / asyncio.run(_rebuild(log, folder))},
                size,
                {rate: "≥ 0.5"},
            )
        finally:
            log.close()


async def _rebuild(log: SQLiteEventLog, folder: Path) -> float:
    engine = open_read_model(folder / "read_model.sqlite", sqlite3, NullLogger())
    request_rebuild(engine)
    projector = Projector(engine, log, SystemClock(), NullLogger())
    began = time.process_time()
    await projector.catch_up()
    took = time.process_time() - began
    engine.dispose()
    return took


def _rows(model: Path) -> Rows:
    with closing(sqlite3.connect(model)) as read:
        names = [table.name for table in metadata.sorted_tables]
        return {name: read.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608 - ours


def _by_hand(folder: Path, rows: Rows) -> float:
    file = folder / "floor.sqlite"
    file.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{file}", module=sqlite3)
    metadata.create_all(engine)
    engine.dispose()
    began = time.process_time()
    with closing(sqlite3.connect(folder / "events.db")) as log:
        for *_, state in log.execute(SELECT):
            msgspec.json.decode(state)
    with closing(sqlite3.connect(file, isolation_level=None)) as model:
        model.execute("PRAGMA journal_mode=WAL")
        for table, all_of_them in rows.items():
            for start in range(0, len(all_of_them), BATCH):
                some = all_of_them[start : start + BATCH]
                model.execute("BEGIN")
                model.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(some[0]))})', some)  # noqa: S608 - ours
                model.execute("COMMIT")
    return time.process_time() - began


if __name__ == "__main__":
    command(__doc__, measure, counts=(20_000,), short=2_000)
