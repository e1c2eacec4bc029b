"""The end that a worker reports is stored in every state of its job, once, and as soon as it can be."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.errors import StorageUnavailable
from domain.events import Cause
from domain.lifecycle import JobState
from domain.processes.polling import Poller
from domain.processes.recovery import Recovery, RunProgress
from domain.processes.reports import Reports
from domain.recovery_policy import Basis
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, VMAStatus
from tests.domain.processes.reporting import (
    HeldLog,
    has_asked,
    has_slept,
    is_logged,
    is_waiting,
    recovering,
    registered,
    reports_on,
    said,
    waiting,
)
from tests.support.builders import NOON, document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, eventually

NO_BACKOFF = float
ENDS = [(COMPLETED, JobState.COMPLETED), (document(VMAStatus.FAILED, 60.0), JobState.FAILED)]


@pytest.mark.parametrize(("what", "state"), ENDS)
async def test_a_report_of_an_end_decides_a_job_in_recovery_and_the_run_finds_it_decided(
    what: Document, state: JobState, harness: Harness, reports: Reports
) -> None:
    job = await recovering(harness, "job-1")
    await recovering(harness, "job-2")

    why = await reports.apply("job-1", said(harness, what), REQUEST, NOON)
    polled = await harness.contact.ask(job)
    decision = await harness.app.recover("job-1", "run-1", polled, harness.contact.circumstances(job), NO_BACKOFF)

    ended = await harness.app.job("job-1")
    assert (why, ended.state, ended.outcome_basis) == (None, state, Basis.OBSERVED)
    assert decision == (ended.decision.by_recovery if ended.decision else None)
    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted", "VMAStatusObserved", "RecoveryDecided"]
    assert await harness.kinds("job-2") == ["JobRegistered", "RecoveryStarted"]


async def test_a_decision_by_a_report_has_its_observation_as_cause_and_that_has_the_request(
    harness: Harness, reports: Reports
) -> None:
    await recovering(harness, "job-1")

    await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON)

    *_, observed, decided = [event for event in await harness.events() if event.originator_id == "job-1"]
    assert (observed.correlation_id, observed.causation_id) == ("request-1", "request-1")
    assert (decided.correlation_id, decided.causation_id) == ("run-1", observed.ref)


@pytest.mark.parametrize(("what", "state"), ENDS)
async def test_a_report_of_an_end_ends_a_job_that_waits_for_its_vma(
    what: Document, state: JobState, harness: Harness, reports: Reports
) -> None:
    await waiting(harness, "job-1")
    version = (await waiting(harness, "job-2")).version

    took = [await reports.apply("job-1", said(harness, what), REQUEST, NOON) for _ in range(2)]

    ended = await harness.app.job("job-1")
    assert took == [None, f"the job has {state.value} already"]
    assert (ended.state, ended.outcome_basis) == (state, Basis.OBSERVED)
    neighbour = await harness.app.job("job-2")
    assert (neighbour.state, neighbour.version) == (JobState.PENDING_RETRY, version)


@pytest.mark.parametrize("found", [registered, recovering, waiting])
async def test_a_report_of_an_end_that_cannot_be_stored_is_stored_as_soon_as_it_can(
    found: Callable[[Harness, str], Awaitable[ReplicationJob]], harness: Harness, reports: Reports
) -> None:
    state = (await found(harness, "job-1")).state
    neighbour = await registered(harness, "job-2")
    harness.make_writable(writable=False)

    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON))
    await eventually(lambda: is_logged(harness, "report_not_recorded"))
    meanwhile = (await harness.app.job("job-1")).state
    with pytest.raises(StorageUnavailable, match="the end that was reported of job job-1 is tried again"):
        await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON)
    harness.make_writable(writable=True)

    assert (await reporting, meanwhile) == (None, state)
    assert (await harness.app.job("job-1")).state is JobState.COMPLETED
    assert (neighbour.state, await harness.kinds("job-2")) == (JobState.REPLICATING, ["JobRegistered"])
    again = await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON)
    assert again == "the job has completed already"


async def test_an_end_that_is_reported_while_its_job_cannot_be_read_is_stored_as_soon_as_it_can() -> None:
    log = HeldLog()
    harness, reports = reports_on(log)
    await registered(harness, "job-1")
    harness.app.forget(log.events)
    log.unreadable = {"job-1"}

    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON))
    await eventually(lambda: is_logged(harness, "report_not_recorded"))
    log.unreadable = set()

    assert await reporting is None
    assert (await harness.app.job("job-1")).state is JobState.COMPLETED


async def test_an_end_that_is_reported_while_a_command_cannot_store_its_job_is_stored_after_it() -> None:
    log = HeldLog()
    harness, reports = reports_on(log)
    await registered(harness, "job-1")
    log.goes_on.clear()
    log.unreadable = {"job-1"}
    polling = asyncio.ensure_future(harness.app.observe("job-1", said(harness, RUNNING), REQUEST))
    await eventually(lambda: is_waiting(log))

    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON))
    log.writable = False
    log.goes_on.set()
    with pytest.raises(StorageUnavailable):
        await polling
    log.writable, log.unreadable = True, set()

    assert await reporting is None
    assert await harness.kinds() == ["JobRegistered", "VMAStatusObserved"]


async def test_a_report_of_an_end_is_never_too_old(harness: Harness, reports: Reports) -> None:
    await harness.job()
    await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)

    took = await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON - timedelta(days=1))

    assert (took, (await harness.app.job("job-1")).state) == (None, JobState.COMPLETED)


async def test_a_report_decides_nothing_in_the_name_of_a_run_of_an_earlier_process(
    harness: Harness, reports: Reports, recovery: Recovery
) -> None:
    await recovering(harness, "job-1")
    recovery.live["run-2"] = recovery.live.pop("run-1")

    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON))
    await eventually(lambda: has_slept(harness, 3))
    waits = await harness.kinds()
    await harness.app.begin_recovery("job-1", "run-2", Cause.RESTART, "test")

    assert (await reporting, waits) == (None, ["JobRegistered", "RecoveryStarted"])
    decision = (await harness.app.job("job-1")).decision
    assert (decision.run_id if decision else None) == "run-2"


@pytest.mark.parametrize("what", [RUNNING, document(VMAStatus.FAILED, 41.0)])
async def test_a_report_during_the_decision_that_its_job_is_lost_revises_it(what: Document) -> None:
    log = HeldLog()
    harness = Harness(log)
    poller = Poller(harness.shared, awake=harness.clock.monotonic, interval=5.0, on_contact_lost=harness.request)
    recovery = harness.recovery(poller)
    recovery.live["run-1"] = RunProgress(run_id="run-1", cause=Cause.RESTART)
    reports = Reports(harness.shared, poller, recovery, harness.request)
    await recovering(harness, "job-1")
    harness.vma.says["job-1"] = VMAStatus.NOT_FOUND
    log.goes_on.clear()
    deciding = asyncio.ensure_future(harness.decided("job-1", run_id="run-1"))
    await eventually(lambda: is_waiting(log))
    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, what), REQUEST, NOON))
    for _ in range(5):
        await asyncio.sleep(0)

    log.goes_on.set()
    await deciding

    assert await reporting is None
    reported = JobState.REPLICATING if what is RUNNING else JobState.FAILED
    job = await harness.app.job("job-1")
    assert (job.state, job.is_guess) == (reported, False)


async def test_of_a_job_that_ended_while_it_was_asked_about_nothing_is_kept(harness: Harness, reports: Reports) -> None:
    harness.app.subscribe(lambda job, _: None if job.is_open else harness.contact.forget(job))
    job, other = await harness.job("job-1"), await harness.job("job-2")
    harness.vma.hang("default")
    asking = [asyncio.ensure_future(harness.contact.ask(one)) for one in (job, other)]
    await eventually(lambda: has_asked(harness, 2))
    await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON)

    harness.vma.go_on()
    await asyncio.gather(*asking)

    assert list(harness.contact._silent) == list(harness.silences._jobs) == ["job-2"]
