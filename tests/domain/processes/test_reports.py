"""Workers' own reports: which is late, what a status alone leaves as it was, what is kept of a job that has ended."""

from datetime import timedelta

import pytest

from domain.events import Cause
from domain.lifecycle import JobState
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.processes.polling import Poller
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.reports import Reports
from domain.vma_status import Document, Observation, VMAStatus, export_name
from tests.support.builders import NOON, answer, document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness

LATE = "a report that was sent later is already applied"


@pytest.fixture
def poller(harness: Harness) -> Poller:
    return Poller(
        harness.shared,
        awake=harness.clock.monotonic,
        interval=5.0,
        on_contact_lost=harness.request,
    )


@pytest.fixture
def reports(harness: Harness, poller: Poller) -> Reports:
    return Reports(harness.app, harness.contact, poller, RecoveryRequests())


def said(harness: Harness, what: Document, job_id: str = "job-1") -> Observation:
    volume = f"disk-of-{job_id}"
    exports = {volume: answer(export_name(volume), VMAStatus.NOT_FOUND)}
    own = (answer(job_id, what),)
    return observe(ProbeTarget(job_id, "default", (volume,)), exports, own, observed_at=harness.clock.now())


async def test_a_report_is_late_only_by_an_earlier_one_of_its_own_job(harness: Harness, reports: Reports) -> None:
    await harness.job("job-1")
    await harness.job("job-2")
    long_ago = NOON - timedelta(days=400)

    first = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)
    late = await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON - timedelta(seconds=1))
    other = await reports.apply("job-2", said(harness, RUNNING, "job-2"), REQUEST, long_ago)
    timeless = await reports.apply("job-1", said(harness, RUNNING), REQUEST, None)

    assert (first, late, other, timeless) == (None, LATE, None, None)
    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


async def test_the_same_second_again_is_taken_and_a_completed_in_it_counts(harness: Harness, reports: Reports) -> None:
    await harness.job()

    took = [await reports.apply("job-1", said(harness, what), REQUEST, NOON) for what in (RUNNING, RUNNING, COMPLETED)]

    assert took == [None, None, None]
    assert (await harness.app.job("job-1")).state is JobState.COMPLETED


async def test_of_a_job_that_has_ended_no_time_is_kept(harness: Harness, reports: Reports) -> None:
    await harness.job("job-1")
    await harness.job("job-2")
    for job_id in ("job-1", "job-2"):
        await reports.apply(job_id, said(harness, RUNNING, job_id), REQUEST, NOON)

    await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON)
    again = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)

    assert again == "the job has completed already"
    assert reports._last_sent == {"job-2": NOON}


async def test_a_status_alone_is_no_news_of_the_figures_polled_before(
    harness: Harness, reports: Reports, poller: Poller
) -> None:
    job = await harness.job()
    poller.watch(job)
    polled = document(VMAStatus.RUNNING, 62.0)
    await reports.apply("job-1", said(harness, polled), REQUEST, NOON)
    events = await harness.kinds()

    await reports.apply("job-1", said(harness, Document(status=VMAStatus.RUNNING)), REQUEST, NOON)

    seen = poller.live["job-1"].observation
    assert seen is not None
    assert (seen.progress_percent, seen.bytes_transferred, seen.phase) == (62.0, polled.bytes_transferred, polled.phase)
    assert (await harness.app.job("job-1")).progress_percent == 62.0
    assert await harness.kinds() == events


async def test_a_status_alone_is_no_movement(harness: Harness, reports: Reports, poller: Poller) -> None:
    job = await harness.job()
    harness.vma.says[job.id] = RUNNING
    poller.watch(job)
    await poller._poll_once(job.id)
    moved_at = harness.clock.monotonic()

    for _ in range(3):
        harness.clock.advance(5.0)
        await reports.apply("job-1", said(harness, Document(status=VMAStatus.RUNNING)), REQUEST, None)
        await poller._poll_once(job.id)

    assert poller.live["job-1"].still_since == moved_at


async def test_a_job_in_recovery_is_left_to_it(harness: Harness, reports: Reports) -> None:
    await harness.job()
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")

    assert await reports.apply("job-1", said(harness, COMPLETED), REQUEST, NOON) == (
        "a recovery run is asking the VMA about this job, and takes the report into account"
    )
    assert (await harness.app.job("job-1")).state is JobState.RECOVERING
