"""Workers' own reports: which is late, what a status alone leaves as it was, what is kept of one not applied."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import Cause, Event, Trace
from domain.lifecycle import JobState
from domain.observing import observe
from domain.ports import ProbeTarget
from domain.processes.polling import Poller
from domain.processes.recovery import Recovery, RunProgress
from domain.processes.reports import Reports
from domain.recovery_policy import Basis
from domain.replication_job import ReplicationJob
from domain.vma_status import Document, Observation, VMAStatus, export_name
from tests.support.builders import NOON, answer, document
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, asked, eventually
from tests.support.memory_log import MemoryLog

NO_BACKOFF = float
ENDS = [(COMPLETED, JobState.COMPLETED), (document(VMAStatus.FAILED, 60.0), JobState.FAILED)]
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
def recovery(harness: Harness, poller: Poller) -> Recovery:
    """Return what makes runs; one of them is under way."""
    recovery = harness.recovery(poller)
    recovery.live["run-1"] = RunProgress(run_id="run-1", cause=Cause.RESTART)
    return recovery


@pytest.fixture
def reports(harness: Harness, poller: Poller, recovery: Recovery) -> Reports:
    return Reports(harness.shared, poller, recovery, harness.request)


class HeldLog(MemoryLog):
    """A log in memory whose writes wait until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.waiting = 0

    async def append(self, events: Sequence[Event], snapshots: Sequence[Snapshot] = ()) -> int:
        self.waiting += 1
        await self.goes_on.wait()
        self.waiting -= 1
        return await super().append(events, snapshots)


def said(harness: Harness, what: Document, job_id: str = "job-1") -> Observation:
    volume = f"disk-of-{job_id}"
    exports = {volume: answer(export_name(volume), VMAStatus.NOT_FOUND)}
    own = (answer(job_id, what),)
    return observe(ProbeTarget(job_id, "default", (volume,)), exports, own, observed_at=harness.clock.now())


async def registered(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job whose VMA does not answer, and return it."""
    harness.vma.says[job_id] = VMAStatus.UNREACHABLE
    return await harness.job(job_id)


async def recovering(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job, begin its recovery, and return it; its VMA does not answer."""
    await harness.job(job_id)
    harness.vma.says[job_id] = VMAStatus.UNREACHABLE
    await harness.app.begin_recovery(job_id, "run-1", Cause.RESTART, "test")
    return await harness.app.job(job_id)


async def is_logged(harness: Harness, event: str) -> bool:
    return event in harness.log.events


async def has_slept(harness: Harness, seconds: float) -> bool:
    return harness.clock.elapsed >= seconds


async def has_asked(harness: Harness, times: int) -> bool:
    return len(harness.vma.asked) >= times


async def is_waiting(log: HeldLog) -> bool:
    return log.waiting > 0


async def waiting(harness: Harness, job_id: str) -> ReplicationJob:
    """Register a job whose VMA does not answer, have it decided, and return it."""
    await recovering(harness, job_id)
    return await harness.decided(job_id, run_id="run-1")


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


async def test_a_report_of_no_end_has_a_job_that_waits_asked_about(harness: Harness, reports: Reports) -> None:
    await waiting(harness, "job-1")

    why = await reports.apply("job-1", said(harness, RUNNING), REQUEST, NOON)

    assert why == "the job waits for its VMA, which is asked now; the report is taken into account"
    assert harness.requested == [("job-1", Cause.RETRY_DUE)]


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
