"""Maintenance of a data directory while the service is stopped."""

import asyncio

from adapters.clock import SystemClock
from adapters.event_store import SQLiteEventLog
from adapters.lease import Lease
from api.bootstrap import prepare
from api.logs import configure
from api.settings import Settings
from projections.projector import Projector, empty, open_read_model


def rebuild(settings: Settings) -> None:
    """Fold the whole event log anew into an emptied read model.

    Raises:
        DataDirectoryHeld: a service runs on the data directory; it catches up by itself.

    """
    lease = Lease(prepare(settings.data_dir))
    lease.acquire("job-recovery rebuild")
    try:
        folded = asyncio.run(_rebuild(settings))
    finally:
        lease.release()
    print(f"rebuilt the read model from {folded} events")


async def _rebuild(settings: Settings) -> int:
    event_log = SQLiteEventLog(settings.data_dir / "events.sqlite")
    engine = open_read_model(settings.data_dir / "read_model.sqlite")
    empty(engine)
    logger = configure(settings.log_format, settings.log_level)
    try:
        return await Projector(engine, event_log, SystemClock(), logger).catch_up()
    finally:
        event_log.close()
        engine.dispose()
