"""Maintenance of a data directory."""

import argparse
import asyncio
from contextlib import closing, suppress
from pathlib import Path

from adapters.event_log.seals import Seal, verify
from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.event_log.stream_check import Findings, check_streams
from adapters.host.clock import SystemClock
from adapters.host.lease import Lease
from adapters.host.private_files import prepare
from api.runtime.logs import configure
from api.runtime.settings import Settings, load_settings
from domain.errors import InvalidInput, JobRecoveryError, NotFound
from projections.read_model.model_file import open_read_model, request_rebuild
from projections.read_model.projector import Projector


def rebuild(_: argparse.Namespace) -> None:
    """Drop the snapshots, and rebuild the read model from the event log.

    Raises:
        DataDirectoryInUse: a service runs on the data directory; it catches up by itself.

    """
    settings = load_settings()
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
    request_rebuild(engine)
    try:
        return await Projector(engine, event_log, SystemClock(), logger).catch_up()
    finally:
        event_log.close()
        engine.dispose()


def verify_log(arguments: argparse.Namespace) -> None:
    """Verify the event log against its seals and an expected one, and apply the events of all streams.

    Raises:
        InvalidInput: the expected seal is malformed.
        NotFound: there is no event log.
        JobRecoveryError: the log or a snapshot was changed, or an event cannot be applied; the message names it.

    """
    log = load_settings().data_dir / "events.sqlite"
    if not _exists(log):
        raise NotFound(f"there is no event log {log}")
    try:
        verdict = verify(log, _seal(arguments.expect) if arguments.expect else None)
        found = check_streams(log) if verdict.broken_at is None else Findings()
    except sqlite3.OperationalError as error:
        raise JobRecoveryError(f"the event log {log} cannot be opened: {error}") from None
    if verdict.broken_at is not None:
        message = (
            f"the event log {log}: verification failed at position {verdict.broken_at}: {verdict.why}. "
            f"{verdict.events} events before it verified; keep this file as evidence and restore it from a backup"
        )
        raise JobRecoveryError(message)
    if (forged := found.forged) is not None:
        message = (
            f"the event log {log}: all events verified, but its snapshot of {forged.originator_id} at version "
            f"{forged.originator_version} differs from them, and later decisions may rest on it: keep a copy of the "
            "file as evidence, stop the service, and drop all snapshots (job-recovery rebuild)"
        )
        raise JobRecoveryError(message)
    print(f"{verdict.events} events verified")
    print(f"seal: {verdict.seal}")
    print("store it elsewhere; `job-recovery verify --expect` proves later that nothing up to it was changed")
    if found.skipped:
        raise JobRecoveryError(f"{len(found.skipped)} events cannot be applied: {'; '.join(found.skipped)}")


def _exists(log: Path) -> bool:
    with suppress(OSError):
        return log.is_file()
    return False


def _seal(expected: str) -> Seal:
    position, _, digest = expected.partition(":")
    if not (position.isascii() and position.isdigit() and len(position) < len(str(2**62)) and digest):
        raise InvalidInput(f"--expect: {expected[:100]!r} is not of the form POSITION:HASH, as `verify` prints it")
    return Seal(int(position), digest.lower())
