"""The commands `rebuild` and `verify`."""

import argparse
import asyncio
import re

from adapters.event_log import seals
from adapters.event_log.copying import refuse_unfinished
from adapters.event_log.seals import NOTHING_SEALED, Seal, Verdict
from adapters.event_log.stream_check import Findings, check_streams
from adapters.host.clock import SystemClock
from adapters.host.lease import Lease
from adapters.host.private_files import prepare
from api.runtime.event_logs import log_place, open_event_log
from api.runtime.logs import configure
from api.runtime.read_models import open_read_model
from api.runtime.settings import Settings, load_settings
from domain.errors import InvalidInput, JobRecoveryError, NotFound
from projections.read_model.model_file import request_rebuild
from projections.read_model.projector import Projector

SEAL = re.compile(r"[1-9][0-9]{0,17}:[0-9a-f]{64}", re.ASCII | re.IGNORECASE)

EVIDENCE = "keep it as evidence, then restore it from a backup"
EITHER = "But first check the seal you gave: either that or the log is not the right one"


def rebuild(_: argparse.Namespace) -> None:
    """Drop the snapshots, and rebuild the read model from the event log.

    Raises:
        NotFound: there is no event log.
        DataDirectoryInUse: a service uses the data directory; it updates the read model itself.
        EventLogInUse: a service on another machine uses the event log.

    """
    settings = load_settings()
    place = log_place(settings)
    if place.identity() is None:
        raise NotFound(f"there is no event log {place.name}")
    lease = Lease(prepare(settings.data_dir))
    lease.acquire("job-recovery rebuild")
    try:
        folded = asyncio.run(_rebuild(settings))
    finally:
        lease.release()
    print(f"rebuilt the read model from {folded} events of the event log {place.name}")


async def _rebuild(settings: Settings) -> int:
    logger = configure(settings.log_format, settings.log_level)
    event_log = open_event_log(settings, logger)
    model = open_read_model(settings, logger)
    try:
        request_rebuild(model.writer)
        await event_log.drop_snapshots()
        return await Projector(model.writer, event_log, SystemClock(), logger, model.writing).catch_up()
    finally:
        event_log.close()
        model.close()


def verify_log(arguments: argparse.Namespace) -> None:
    """Verify the event log against its seals and an expected one, and apply the events of all streams.

    Raises:
        InvalidInput: the expected seal is malformed.
        NotFound: there is no event log.
        JobRecoveryError: the log or a snapshot was changed, or an event cannot be applied; the message names it. Or the
            log is an unfinished copy.

    """
    place = log_place(load_settings())
    with place.stored() as stored:
        verdict = seals.verify(stored, _seal(arguments.expect) if arguments.expect else None)
        found = check_streams(stored) if verdict.broken_at is None else Findings()
        _report(place.name, verdict, found)
        refuse_unfinished(stored, place.name)


def _report(log: str, verdict: Verdict, found: Findings) -> None:
    if verdict.broken_at is not None:
        message = (
            f"the event log {log}: verification failed at position {verdict.broken_at}: {verdict.why}. "
            f"{verdict.events} events before it verified; {EVIDENCE}"
        )
        raise JobRecoveryError(f"{message}. {EITHER}" if verdict.unexpected else message)
    if (forged := found.forged) is not None:
        message = (
            f"the event log {log}: all events verified, but its snapshot of {forged.originator_id} at version "
            f"{forged.originator_version} differs from them, and later decisions may depend on it: copy the "
            "file as evidence, stop the service, and drop all snapshots (job-recovery rebuild)"
        )
        raise JobRecoveryError(message)
    print(f"{verdict.events} events verified in the event log {log}")
    print(f"seal: {verdict.seal}")
    print("store it elsewhere; `job-recovery verify --expect` proves later that nothing up to it was changed")
    if found.skipped:
        raise JobRecoveryError(f"{len(found.skipped)} events cannot be applied: {'; '.join(found.skipped)}")


def _seal(expected: str) -> Seal:
    if expected.lower() == str(NOTHING_SEALED):
        return NOTHING_SEALED
    if not SEAL.fullmatch(expected):
        form = "POSITION:HASH with all 64 digits of the hash, as `verify` prints it"
        raise InvalidInput(f"--expect: {expected[:100]!r} is not of the form {form}")
    position, _, digest = expected.partition(":")
    return Seal(int(position), digest.lower())
