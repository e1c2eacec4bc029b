"""Measures queries of the past by the size of the log: the API compared with plain SQL, in one run.

    .venv/bin/python scripts/bench/audit.py [EVENTS ...]

Writes histories of 10,000, 100,000 and 1,000,000 events through the real write path, projects them into the read model,
and asks each for the first page (100 events) of every filter and for the past of one job and of all. Prints the
median of a query in milliseconds, and its ratio to the time that SQLite alone needs for the same rows.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

import httpx
from history import History

from adapters.event_log.sqlite import sqlite3
from api.http.app import create_app
from api.runtime.bootstrap import build
from api.runtime.logs import configure
from api.runtime.settings import Settings
from projections.read_model import schema

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 21
TRAIL = schema.audit_trail.name
ALL = f"SELECT * FROM {TRAIL}"  # noqa: S608
FIRST_PAGE = "ORDER BY position DESC LIMIT 101"

Query = tuple[str, dict[str, str], str, tuple[object, ...]]
"""Path and query, and the SQL that finds the same rows, with its values."""


def queries(log: sqlite3.Connection) -> dict[str, Query]:
    """Return the queries, about a job, a run and an hour in the middle of the history."""
    middle = log.execute(f"SELECT max(position) / 2 FROM {TRAIL}").fetchone()[0]  # noqa: S608
    job, then = log.execute(
        f"SELECT job_id, recorded_at FROM {TRAIL} WHERE position >= ? AND type = 'RecoveryDecided'",  # noqa: S608
        (middle,),
    ).fetchone()
    run = log.execute(f"SELECT run_id FROM {TRAIL} WHERE position >= ? AND run_id > ''", (middle,)).fetchone()[0]  # noqa: S608
    named = {
        "job_id": job,
        "vm_context_id": f"ctx-{job}",
        "run_id": run,
        "type": "RecoveryDecided",
        "rule": "gone-near-end",
        "basis": "inferred",
        "outcome": "complete",
        "actor": "anna",
    }
    asked: dict[str, Query] = {
        name: ("/audit", {name: value}, f"{ALL} WHERE {name} = ? {FIRST_PAGE}", (value,))
        for name, value in named.items()
    }
    until = f"{ALL} WHERE recorded_at <= ?"
    asked["to"] = ("/audit", {"to": then}, f"{until} {FIRST_PAGE}", (then,))
    asked["to, oldest"] = ("/audit", {"to": then, "order": "oldest"}, f"{until} ORDER BY position LIMIT 101", (then,))
    since = f"{ALL} WHERE recorded_at >= ? ORDER BY position LIMIT 101"
    asked["from, oldest"] = ("/audit", {"from": then, "order": "oldest"}, since, (then,))
    both = {"rule": "lost", "to": then}
    asked["rule, to"] = ("/audit", both, f"{until} AND rule = 'lost' {FIRST_PAGE}", (then,))
    asked["nothing"] = ("/audit", {}, f"{ALL} {FIRST_PAGE}", ())
    past = f"{ALL} WHERE stream_id = ? AND recorded_at <= ? ORDER BY position"
    asked["job at"] = (f"/jobs/{job}", {"at": then}, past, (job, then))
    table = (
        f"SELECT job_id, max(version) FROM {TRAIL} WHERE job_id > '' AND stream_id = job_id AND recorded_at <= ? "  # noqa: S608
        "GROUP BY job_id ORDER BY job_id LIMIT 101"
    )
    asked["jobs at"] = ("/jobs", {"at": then}, table, (then,))
    return asked


async def ask(api: httpx.AsyncClient, sql: sqlite3.Connection, query: Query) -> tuple[float, float]:
    """Return the seconds of a query by the API, and by SQLite alone."""
    path, params, statement, values = query
    began = time.perf_counter()
    response = await api.get(path, params=params)
    answered = time.perf_counter()
    found = sql.execute(statement, values).fetchall()
    ended = time.perf_counter()
    response.raise_for_status()
    if not found:
        raise LookupError(f"the query finds nothing: {statement}")
    return answered - began, ended - answered


async def measure(events: int, folder: Path) -> dict[str, tuple[float, float]]:
    """Write a history of this number of events, and return the medians of every query."""
    settings = Settings(data_dir=folder / str(events), rate_limit=0, log_level="error")
    service = build(settings, configure("human", "error"))
    began = time.perf_counter()
    await History(service.event_log).write(events)
    written = time.perf_counter()
    await service.projector.catch_up()
    folded = time.perf_counter()
    there = service.event_log.position
    print(f"{there:9} events: written {there / (written - began):,.0f}/s, folded {there / (folded - written):,.0f}/s")
    transport = httpx.ASGITransport(create_app(service))
    medians = {}
    with closing(sqlite3.connect(settings.data_dir / "read_model.sqlite")) as sql:
        async with httpx.AsyncClient(transport=transport, base_url="http://bench/api/v1") as api:
            for name, query in queries(sql).items():
                times = [await ask(api, sql, query) for _ in range(ROUNDS)]
                medians[name] = statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)
    await service.close()
    return medians


async def main(sizes: list[int]) -> None:
    """Measure every size and print a row for each query."""
    with tempfile.TemporaryDirectory() as folder:
        found = {size: await measure(size, Path(folder)) for size in sizes}
    print(f"\n{'first page, ms (ratio to plain SQL)':24}" + "".join(f"{size:>20,}" for size in sizes))
    for name in found[sizes[0]]:
        row = [found[size][name] for size in sizes]
        print(f"{name:35}" + "".join(f"{api * 1000:9.2f} ({api / sql:8.2f})" for api, sql in row))


if __name__ == "__main__":
    asyncio.run(main([int(size) for size in sys.argv[1:]] or list(SIZES)))
