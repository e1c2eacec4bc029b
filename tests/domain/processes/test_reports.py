"""Workers' own reports: which is late, what a status alone leaves as it was, what is kept of one not applied."""

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.errors import StorageUnavailable
from domain.events import Cause, Trace
from domain.lifecycle import JobState
from domain.processes.contact import REPORT_VALID_FOR
from domain.processes.polling import Poller
from domain.processes.reports import Reports
from domain.recovery_policy import Outcome
from domain.vma_status import Document, VMAStatus
from tests.domain.processes.reporting import (
    HeldLog,
    is_waiting,
    registered,
    reports_on,
    said,
    waiting,
)
from tests.support.builders import NOON, document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked, eventually

LATE = "a report that was sent later is already applied"


async def test_a_report_is_late_only_by_an_earlier_one_of_its_own_job(harness: Harness, reports: Reports) -> None:
    await harness.job("job-1")
    await harness.job("job-2")
    long_ago = NOON - timedelta(days=400)

    first = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)
    late = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON - timedelta(seconds=1))
    other = await reports.apply("job-2", said(harness, RUNNING, "job-2"), REQUEST, long_ago)
    timeless = await reports.apply("job-1", said(harness, RUNNING), REQUEST, None)

    assert (first, late, other, timeless) == (None, LATE, None, None)
    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


async def test_a_late_report_is_contact_so_the_vmas_not_found_does_not_count(
    harness: Harness, reports: Reports
) -> None:
    """The worker's clock was an hour ahead, and has been set right: all that it sends from then on is late."""
    jobs = [await harness.job("job-1"), await harness.job("job-2")]
    for job in jobs:
        await reports.apply(job.id, said(harness, RUNNING, job.id), REQUEST, NOON + timedelta(hours=1))

    for _ in range(4):
        harness.clock.advance(REPORT_VALID_FOR)
        assert await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON) == LATE

    seen = [(await harness.contact.ask(job)).status for job in jobs]
    assert seen == [VMAStatus.RUNNING, VMAStatus.NOT_FOUND]


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


@pytest.mark.parametrize("what", [RUNNING, document(VMAStatus.COMPLETED, 40.0)])
async def test_a_report_of_no_end_is_left_to_the_recovery_of_its_job(
    what: Document, harness: Harness, reports: Reports
) -> None:
    await harness.job()
    await harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test")

    why = await reports.apply("job-1", said(harness, what), REQUEST, NOON)

    assert why == "a recovery run is asking the VMA about this job, and takes the report into account"
    assert (await harness.app.job("job-1")).state is JobState.RECOVERING
    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted"]


async def test_a_report_of_no_end_has_a_job_that_waits_asked_about(harness: Harness, reports: Reports) -> None:
    await waiting(harness, "job-1")

    why = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)

    assert why == "the job waits for its VMA, which is asked now; the report is taken into account"
    assert harness.requested == [("job-1", Cause.RETRY_DUE)]


async def refused_twice(harness: Harness, reports: Reports, what: Document, sent_at: datetime | None) -> None:
    harness.make_writable(writable=False)
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await reports.apply("job-1", said(harness, what), REQUEST, sent_at)
    harness.make_writable(writable=True)


async def test_reports_that_could_not_be_stored_are_applied_when_they_are_sent_again(
    harness: Harness, reports: Reports
) -> None:
    await harness.job()
    first, second = document(VMAStatus.RUNNING, 50.0), document(VMAStatus.RUNNING, 60.0)
    later = NOON + timedelta(seconds=5)
    await refused_twice(harness, reports, first, NOON)
    await refused_twice(harness, reports, second, later)

    took = [
        await reports.apply("job-1", said(harness, what), REQUEST, at) for what, at in ((first, NOON), (second, later))
    ]

    assert took == [None, None]
    assert (await harness.app.job("job-1")).progress_percent == 60.0
    assert await harness.kinds() == ["JobRegistered", "VMAStatusObserved", "VMAStatusObserved"]


async def test_a_report_that_could_not_be_stored_does_not_outweigh_the_vma(
    harness: Harness, reports: Reports, poller: Poller
) -> None:
    job = await harness.job()
    poller.watch(job)
    before = harness.contact.circumstances(job)

    await refused_twice(harness, reports, RUNNING, NOON)

    assert harness.contact.circumstances(job) == before
    assert (poller.live["job-1"].polls, poller.live["job-1"].observation, poller.polls) == (0, None, 0)
    assert (await harness.contact.ask(await harness.app.job("job-1"))).status is VMAStatus.NOT_FOUND


async def test_a_report_that_could_not_be_stored_leaves_those_of_other_jobs_as_they_were(
    harness: Harness, reports: Reports
) -> None:
    await harness.job("job-1")
    other = await harness.job("job-2")
    await reports.apply("job-2", said(harness, RUNNING, "job-2"), REQUEST, NOON)

    await refused_twice(harness, reports, RUNNING, NOON + timedelta(seconds=5))

    late = await reports.apply("job-2", said(harness, RUNNING, "job-2"), REQUEST, NOON - timedelta(seconds=1))
    assert late == LATE
    assert (await harness.contact.ask(other)).status is VMAStatus.RUNNING


async def test_a_guess_is_revised_by_the_report_that_could_not_be_stored_before(
    harness: Harness, reports: Reports
) -> None:
    await harness.job()
    await harness.decided("job-1")
    await refused_twice(harness, reports, RUNNING, NOON)

    assert await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON) is None
    assert (await harness.app.job("job-1")).state is JobState.REPLICATING


@pytest.mark.parametrize(
    ("what", "vm_context_id", "recorded"),
    [
        (RUNNING, "ctx-other", ["OutcomeRevised", "JobAdmitted"]),
        (document(VMAStatus.FAILED, 40.0), "ctx-other", ["OutcomeConfirmed"]),
        (COMPLETED, "ctx-job-1", ["OutcomeContradicted"]),
    ],
)
async def test_what_a_report_says_of_a_guess_is_recorded_with_its_request(
    harness: Harness, reports: Reports, what: Document, vm_context_id: str, recorded: list[str]
) -> None:
    await harness.job()
    await harness.decided("job-1")
    await harness.app.register(asked("job-2", vm_context_id=vm_context_id), REQUEST)
    before = len(await harness.events())

    await reports.apply("job-1", said(harness, what), Trace("request-7", "request-7", "agent"), NOON)

    added = (await harness.events())[before:]
    assert [event.topic for event in added] == recorded
    assert {(event.correlation_id, event.actor) for event in added} == {("request-7", "agent")}
    assert [event.causation_id for event in added] == ["request-7", *(event.ref for event in added[:-1])]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (document(VMAStatus.FAILED, 40.0), "may be of the newer job of its VM"),
        (document(VMAStatus.UNINTELLIGIBLE, 40.0), "says nothing certain"),
    ],
)
async def test_a_report_that_changes_nothing_about_a_guess_says_so_each_time(
    harness: Harness, reports: Reports, what: Document, why: str
) -> None:
    await harness.job()
    await harness.decided("job-1")
    await harness.app.register(asked("job-2", vm_context_id="ctx-job-1"), REQUEST)
    before = await harness.events()

    for _ in range(2):
        result = await reports.apply("job-1", said(harness, what), REQUEST, NOON)
        assert why in (result or "")

    assert await harness.events() == before


async def test_a_report_whose_job_is_ended_by_a_command_under_way_says_that_it_has_ended() -> None:
    log = HeldLog()
    harness, reports = reports_on(log)
    await registered(harness, "job-1")
    log.goes_on.clear()
    deciding = asyncio.ensure_future(harness.app.operator_decide("job-1", Outcome.COMPLETE, "mara", "seen", REQUEST))
    await eventually(lambda: is_waiting(log))

    reporting = asyncio.ensure_future(
        reports.apply("job-1", said(harness, document(VMAStatus.FAILED, 40.0)), REQUEST, NOON)
    )
    await asyncio.sleep(0)
    log.goes_on.set()
    await deciding

    assert await reporting == "the job has completed already"


async def test_of_two_reports_at_once_the_older_one_does_not_replace_the_newer(
    harness: Harness, reports: Reports
) -> None:
    await harness.job()
    newer, older = document(VMAStatus.RUNNING, 60.0), document(VMAStatus.RUNNING, 50.0)

    took = await asyncio.gather(
        reports.apply("job-1", said(harness, newer), REQUEST, NOON),
        reports.apply("job-1", said(harness, older), REQUEST, NOON - timedelta(seconds=5)),
    )

    assert list(took) == [None, LATE]
    assert (await harness.app.job("job-1")).progress_percent == 60.0


async def test_a_poll_that_ends_while_a_report_is_stored_does_not_replace_it_by_the_report_before(
    harness: Harness, reports: Reports
) -> None:
    """The poll's own answer is "not found", so that a report counts in its place."""
    job = await harness.job()
    await reports.apply("job-1", said(harness, document(VMAStatus.RUNNING, 50.0)), REQUEST, NOON)
    harness.vma.hang("default")

    async def poll() -> None:
        await harness.app.observe("job-1", await harness.contact.ask(job))

    async def report() -> None:
        harness.vma.go_on()
        now = document(VMAStatus.RUNNING, 60.0)
        await reports.apply("job-1", said(harness, now), REQUEST, NOON + timedelta(seconds=5))

    await asyncio.gather(poll(), report())

    assert (await harness.app.job("job-1")).progress_percent == 60.0


async def test_a_report_that_a_recovery_run_overtakes_is_taken_into_account(harness: Harness, reports: Reports) -> None:
    await harness.job()

    _, why = await asyncio.gather(
        harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test"),
        reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON),
    )

    assert why == "a recovery run is asking the VMA about this job, and takes the report into account"
    assert (await harness.contact.ask(await harness.app.job("job-1"))).status is VMAStatus.RUNNING


async def test_the_first_report_after_registration_is_movement(
    harness: Harness, reports: Reports, poller: Poller
) -> None:
    job = await harness.job()
    poller.watch(job)
    harness.clock.advance(5.0)

    await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)

    assert poller.live["job-1"].still_since == harness.clock.monotonic()


async def test_a_report_is_late_by_the_last_one_that_was_applied(harness: Harness, reports: Reports) -> None:
    await harness.job()

    took = [
        await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON + timedelta(seconds=seconds))
        for seconds in (0, 10, 5, 10, 9.9)
    ]

    assert took == [None, None, LATE, None, LATE]


async def test_a_report_that_could_not_be_stored_leaves_the_one_before_it(harness: Harness, reports: Reports) -> None:
    job = await harness.job()
    await reports.apply("job-1", said(harness, document(VMAStatus.RUNNING, 50.0)), REQUEST, NOON)

    await refused_twice(harness, reports, document(VMAStatus.RUNNING, 60.0), NOON + timedelta(seconds=5))

    seen = await harness.contact.ask(job)
    assert (seen.status, seen.progress_percent) == (VMAStatus.RUNNING, 50.0)


async def test_of_a_job_that_has_ended_no_report_is_kept(harness: Harness, reports: Reports) -> None:
    await harness.job("job-1")
    await harness.job("job-2")
    harness.app.subscribe(lambda job, _: None if job.is_open else harness.contact.forget(job))

    for job_id, what in (("job-1", RUNNING), ("job-1", COMPLETED), ("job-2", RUNNING)):
        await reports.apply(job_id, said(harness, what, job_id), REQUEST, NOON)

    assert list(harness.contact._reports) == list(harness.contact._silent) == ["job-2"]


async def test_a_report_that_comes_while_a_recovery_begins_is_left_to_it() -> None:
    log = HeldLog()
    harness = Harness(log)
    poller = Poller(harness.shared, awake=harness.clock.monotonic, interval=5.0, on_contact_lost=harness.request)
    reports = Reports(harness.shared, poller, harness.recovery(poller), harness.request)
    await harness.job()
    log.goes_on.clear()
    beginning = asyncio.ensure_future(harness.app.begin_recovery("job-1", "run-1", Cause.RESTART, "test"))
    await asyncio.sleep(0)
    reporting = asyncio.ensure_future(reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON))
    for _ in range(5):
        await asyncio.sleep(0)

    log.goes_on.set()
    await beginning

    assert "a recovery run is asking the VMA about this job" in (await reporting or "")
    assert await harness.kinds() == ["JobRegistered", "RecoveryStarted"]
