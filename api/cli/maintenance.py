"""Maintenance of a data directory."""

import asyncio
from contextlib import closing

from adapters.event_log.seals import Seal, verify
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.stream_check import Findings, check_streams
from adapters.host.clock import SystemClock
from adapters.host.lease import Lease
from adapters.host.private_files import prepare
from api.cli.common import is_file
from api.runtime.logs import configure
from api.runtime.settings import Settings
from domain.errors import InvalidInput, JobRecoveryError, NotFound
from projections.read_model.model_file import empty, open_read_model
from projections.read_model.projector import Projector


def rebuild(settings: Settings) -> None:
    """Drop the snapshots, and fold the whole event log anew into an emptied read model.

    Raises:
        DataDirectoryHeld: a service runs on the data directory; it catches up by itself.

    """
    lease = Lease(prepare(settings.data_dir))
    lease.acquire("job-recovery rebuild")
    try:
        folded = asyncio.run(_rebuild(settings))
    except sqlite3.OperationalError as error:
        raise JobRecoveryError(f"the snapshots in {settings.data_dir} cannot be dropped: {error}") from None
    finally:
        lease.release()
    print(f"rebuilt the read model from {folded} events")


async def _rebuild(settings: Settings) -> int:
    event_log = SQLiteEventLog(settings.data_dir / "events.sqlite")
    with closing(sqlite3.connect(settings.data_dir / "events.sqlite")) as connection, connection:
        connection.execute("DELETE FROM stored_snapshots")
    logger = configure(settings.log_format, settings.log_level)
    engine = open_read_model(settings.data_dir / "read_model.sqlite", sqlite3, logger)
    empty(engine)
    try:
        return await Projector(engine, event_log, SystemClock(), logger).catch_up()
    finally:
        event_log.close()
        engine.dispose()


def verify_log(settings: Settings, noted: str | None) -> None:
    """Check the event log against its seals and against one that was noted elsewhere, and fold all streams anew.

    Raises:
        InvalidInput: the noted seal is none.
        NotFound: there is no event log.
        JobRecoveryError: the log or a snapshot does not hold, or an event cannot be applied; the message names it.

    """
    log = settings.data_dir / "events.sqlite"
    if not is_file(log):
        raise NotFound(f"there is no event log {log}")
    try:
        verdict = verify(log, _seal(noted) if noted else None)
        found = check_streams(log) if verdict.broken_at is None else Findings()
    except sqlite3.OperationalError as error:
        raise JobRecoveryError(f"the event log {log} cannot be opened: {error}") from None
    if verdict.broken_at is not None:
        message = (
            f"the event log {log} does not hold from position {verdict.broken_at} on: {verdict.why}. "
            f"The {verdict.events} events before it hold; keep this file as evidence and restore it from a backup"
        )
        raise JobRecoveryError(message)
    if (forged := found.forged) is not None:
        message = (
            f"all events of the event log {log} hold, but its snapshot of {forged.originator_id} at version "
            f"{forged.originator_version} is not what they say, and later decisions may rest on it: keep a copy of the "
            "file as evidence, stop the service, and drop all snapshots (job-recovery rebuild)"
        )
        raise JobRecoveryError(message)
    print(f"all {verdict.events} events hold")
    print(f"the seal is {verdict.seal}: noted elsewhere, `job-recovery verify --expect` proves it later")
    if found.skipped:
        raise JobRecoveryError(f"{len(found.skipped)} of them cannot be applied: {'; '.join(found.skipped)}")


def _seal(noted: str) -> Seal:
    position, _, digest = noted.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) < len(str(2**62)) and digest):
        raise InvalidInput(f"--expect: {noted[:100]!r} is not of the form POSITION:HASH, as `verify` prints it")
    return Seal(int(position), digest.lower())
