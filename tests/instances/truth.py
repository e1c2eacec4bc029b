"""What must be true of the log, and of what each instance shows, when the hazards are over."""

import asyncio
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from adapters.event_log import seals
from adapters.event_log.postgres_store import PostgresEventLog, database_of
from adapters.event_log.postgres_stored_log import stored_log
from adapters.event_log.sqlite import sqlite3
from adapters.host.clock import SystemClock
from adapters.null_logger import NullLogger
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.instances.site import SCHEMA, Site
from tests.support.read_model import Rows, rows_of

EVENTS = "SELECT originator_id, originator_version, topic, state FROM {}.stored_events ORDER BY notification_id"
FILE = "read_model.sqlite"
OUTCOMES = {"RecoveryDecided": "outcome", "OutcomeRevised": "to_state", "OperatorDecided": "outcome"}


def check(site: Site) -> int:
    """End all instances, and check that no event is lost or doubled, and no job decided twice or wrongly.

    Returns the number of events.

    Raises:
        AssertionError: that is not so.

    """
    for instance in site.instances:
        assert instance.terminate() == 0
    events = site.cluster.execute(EVENTS.format(SCHEMA))
    versions: Counter[str] = Counter()
    decided: Counter[tuple[str, str]] = Counter()
    for stream, version, topic, state in events:
        versions[stream] += 1
        assert version == versions[stream], f"{stream} has version {version} where {versions[stream]} is due"
        if topic in OUTCOMES:
            data: dict[str, Any] = msgspec.json.decode(state)
            assert data[OUTCOMES[topic]] in {"resume", "retry"}, f"every worker runs, and {stream} is {data}"
            decided[stream, data["run_id"]] += 1
    lost = set(site.names) - versions.keys()
    assert not lost, f"registered and lost: {sorted(lost)[:3]}"
    twice = [which for which, count in decided.items() if count > 1]
    assert not twice, f"decided twice in a run: {twice[:3]}"
    with stored_log(database_of(site.cluster.url, SCHEMA)) as log:
        verdict = seals.verify(log, whole=False)
    assert verdict.broken_at is None, verdict
    _check_read_models(site)
    return len(events)


def _check_read_models(site: Site) -> None:
    """Check that the read model of each instance, brought up to the end of the log, equals one that is derived anew."""
    with closing(PostgresEventLog(site.cluster.url, SCHEMA)) as log, tempfile.TemporaryDirectory() as folder:
        anew = _rows(Path(folder) / "anew.sqlite", log)
        for instance in site.instances:
            assert _rows(instance.data_dir / FILE, log) == anew, f"the read model in {instance.data_dir} is different"


def _rows(path: Path, log: PostgresEventLog) -> Rows:
    engine = open_read_model(path, sqlite3)

    async def catch_up() -> None:
        projector = Projector(engine, log, SystemClock(), NullLogger())
        await projector.reset_if_outdated()
        await projector.catch_up()

    asyncio.run(catch_up())
    return rows_of(engine)
