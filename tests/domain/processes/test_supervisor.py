"""What a start begins with: every open job is taken up, and those that nobody can be asked about are named."""

import asyncio
from collections.abc import Sequence
from itertools import count

import pytest

from adapters.event_log.sole_instance import SoleInstance
from domain.application import JobRecovery
from domain.errors import LogChanged, StorageUnavailable
from domain.events import Cause
from domain.lifecycle import JobState
from domain.ownership import Ownership
from domain.processes.awake import AwakeTime
from domain.processes.contact import Contact
from domain.processes.dependencies import Dependencies
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from domain.processes.reconciliation import Reconciliation
from domain.processes.recovery import Recovery
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.retry import Backoff, RetryScheduler
from domain.processes.supervisor import Supervisor
from domain.recovery_policy import Outcome
from domain.run_book import RunBook
from domain.silences import Silences
from domain.vma_status import VMAStatus
from tests.support.builders import instance
from tests.support.harness import COMPLETED, REQUEST, RUNNING, Harness, while_running
from tests.support.memory_log import MemoryLog

NUMBERS = count(2)


class Started:
    """A process that starts on the harness's log, knowing nothing."""

    def __init__(
        self,
        harness: Harness,
        guesses: Sequence[str] = (),
        *,
        refusals: int = 0,
        answering: asyncio.Event | None = None,
    ) -> None:
        """`refusals` is how often the guesses cannot be read at first; `answering` is when they are told."""
        clock, log, policy = harness.clock, harness.log, harness.policy
        ownership = Ownership(SoleInstance(instance("second", "default")))
        self.app = JobRecovery(harness.event_log, clock, policy, ownership)
        awake = clock.monotonic
        contact = Contact(harness.vma, clock, policy, Silences(clock, lambda: 0, 300.0), self.app.may_be_open)
        requests = RecoveryRequests()
        shared = Dependencies(self.app, contact, clock, log)
        self.poller = Poller(shared, awake=awake, interval=5.0, on_contact_lost=requests.request)
        runs = RunBook(harness.event_log, clock, log, "second", lambda: f"run-{next(NUMBERS)}")
        backoff = Backoff(5.0, 60.0, lambda: 1.0)

        refused = iter(range(refusals))
        self.asked_for_guesses: list[float] = []

        async def found() -> Sequence[str]:
            self.asked_for_guesses.append(clock.elapsed)
            if answering is not None:
                await answering.wait()
            if next(refused, None) is not None:
                raise StorageUnavailable("the read model is away")
            return guesses

        self.supervisor = Supervisor(
            shared,
            runs=runs,
            poller=self.poller,
            retries=RetryScheduler(shared, backoff, requests.request),
            reconciliation=Reconciliation(shared, first_after=5.0, ask_for=86_400.0),
            recovery=Recovery(shared, runs, requests, self.poller, backoff),
            health=HealthMonitor(
                shared,
                self.poller,
                awake=awake,
                stale_after=30.0,
                stalled_after=900.0,
                recover=requests.request,
            ),
            awake=AwakeTime(clock),
            guesses=found,
            ownership=ownership,
        )

    async def until_recovered(self, harness: Harness) -> None:
        """Run until the first recovery run is finished."""
        await while_running(self.supervisor.run(), lambda: "recovery_completed" in harness.log.events)

    async def rule_of(self, job_id: str) -> str | None:
        decision = (await self.app.job(job_id)).decision
        return decision.rule if decision else None


async def test_jobs_of_a_vma_that_is_not_in_the_settings_are_named_and_wait(harness: Harness) -> None:
    for job_id, vma in (("job-1", "gone"), ("job-2", "gone"), ("job-3", "default")):
        await harness.job(job_id, percent=95.0, vma=vma)
        harness.vma.says[job_id] = RUNNING
    harness.vma.addresses["gone"] = None
    harness.vma.says |= dict.fromkeys(("job-1", "job-2"), VMAStatus.NOT_ASKED)
    started = Started(harness)

    await started.until_recovered(harness)

    assert started.supervisor.without_vma() == {"gone": 2}
    assert harness.log.events.count("jobs_without_vma") == 1
    assert [await started.rule_of(job_id) for job_id in ("job-1", "job-2")] == ["not-asked", "not-asked"]
    assert (await started.app.job("job-1")).state is JobState.PENDING_RETRY
    assert (await started.rule_of("job-3"), set(started.poller.live)) == ("still-running", {"job-3"})


async def test_one_that_has_ended_is_not_without_a_vma(harness: Harness) -> None:
    for job_id in ("job-1", "job-2"):
        await harness.job(job_id, vma="gone")
        harness.vma.says[job_id] = VMAStatus.NOT_ASKED
    harness.vma.addresses["gone"] = None
    started = Started(harness)
    await started.until_recovered(harness)

    await started.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)

    assert started.supervisor.without_vma() == {"gone": 1}


async def test_where_every_vma_is_known_nobody_is_named(harness: Harness) -> None:
    await harness.job()
    harness.vma.says["job-1"] = COMPLETED
    started = Started(harness)

    await started.until_recovered(harness)

    assert (started.supervisor.without_vma(), "jobs_without_vma" in harness.log.events) == ({}, False)
    assert (await started.app.job("job-1")).state is JobState.COMPLETED


@pytest.mark.parametrize("away", [60.0, 7200.0, 1e6])
async def test_a_start_after_any_absence_with_the_vma_down_fails_no_job_and_resumes_it_when_it_is_back(
    harness: Harness, away: float
) -> None:
    job = await harness.job()
    harness.vma.says["job-1"] = RUNNING
    await harness.app.observe(job.id, await harness.contact.ask(job))
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    harness.clock.advance(away)
    started = Started(harness)

    await started.until_recovered(harness)
    assert await started.rule_of("job-1") == "unreachable-recent"

    harness.vma.says["job-1"] = RUNNING
    again = Started(harness)
    harness.log.events.clear()
    await again.until_recovered(harness)
    assert (await again.rule_of("job-1"), (await again.app.job("job-1")).state) == (
        "still-running",
        JobState.REPLICATING,
    )


async def test_a_vma_that_is_down_for_good_fails_its_job_once_we_have_asked_in_vain_for_the_grace(
    harness: Harness,
) -> None:
    await harness.job()
    harness.vma.says["job-1"] = VMAStatus.UNREACHABLE
    harness.clock.advance(7200.0)
    began = harness.clock.elapsed
    started = Started(harness)
    ended: list[JobState] = []
    started.app.subscribe(lambda job, _: None if job.is_open else ended.append(job.state))

    await while_running(started.supervisor.run(), lambda: bool(ended), turns=60_000)

    assert (ended, await started.rule_of("job-1")) == ([JobState.FAILED], "unreachable-too-long")
    assert harness.clock.elapsed - began > harness.policy.unreachable_grace


async def test_a_vma_that_has_forgotten_its_jobs_before_our_restart_has_so_after_it(harness: Harness) -> None:
    names = [f"job-{n}" for n in range(4)]
    for name in names:
        await harness.job(name)
    for name in 2 * names:
        await harness.contact.ask(await harness.app.job(name))
    for name in names:
        assert (await harness.decided(name)).state is JobState.PENDING_RETRY
    for name in names[:3]:
        harness.vma.says[name] = RUNNING
    started = Started(harness)

    await started.until_recovered(harness)

    assert [await started.rule_of(name) for name in names] == [*(3 * ["still-running"]), "vma-amnesia"]


async def test_a_guess_is_asked_about_again_after_our_restart(harness: Harness) -> None:
    await harness.job()
    assert (await harness.decided("job-1")).is_guess
    harness.vma.says["job-1"] = RUNNING
    started = Started(harness, guesses=["job-1"])

    await while_running(started.supervisor.run(), lambda: "outcome_reconsidered" in harness.log.events, turns=20_000)

    job = await started.app.job("job-1")
    assert (job.state, set(started.poller.live)) == (JobState.REPLICATING, {"job-1"})
    assert job.cause is Cause.RESTART


async def test_guesses_that_cannot_be_read_at_first_are_asked_about_later_and_the_recovery_does_not_wait(
    harness: Harness,
) -> None:
    for job_id in ("guess", "open"):
        await harness.job(job_id)
    assert (await harness.decided("guess")).is_guess
    harness.vma.says |= dict.fromkeys(("guess", "open"), RUNNING)
    started = Started(harness, guesses=["guess"], refusals=3)

    await while_running(started.supervisor.run(), lambda: "outcome_reconsidered" in harness.log.events, turns=20_000)

    assert harness.log.events.count("guesses_not_watched_yet") == 1
    assert started.supervisor.unwatched_guesses is None
    assert harness.log.events.index("recovery_decided") < harness.log.events.index("outcome_reconsidered")
    assert set(started.poller.live) == {"guess", "open"}
    # They are read until they are known, and not again, each time after a pause.
    assert len(started.asked_for_guesses) == len(set(started.asked_for_guesses)) == 4


async def test_the_recovery_does_not_wait_for_a_read_model_that_does_not_tell_the_guesses(harness: Harness) -> None:
    for job_id in ("guess", "open"):
        await harness.job(job_id)
    assert (await harness.decided("guess")).is_guess
    harness.vma.says |= dict.fromkeys(("guess", "open"), RUNNING)
    started = Started(harness, guesses=["guess"], answering=asyncio.Event())

    await started.until_recovered(harness)

    assert set(started.poller.live) == {"open"}


async def test_a_job_whose_events_cannot_be_read_is_named_and_the_others_are_recovered(harness: Harness) -> None:
    for job_id in ("job-1", "job-2"):
        await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.unreadable.add("job-1")
    started = Started(harness)

    await started.until_recovered(harness)

    assert harness.log.events.count("job_not_watched") == 1
    assert set(started.poller.live) == {"job-2"}


@pytest.mark.parametrize("refusals", [1, 2, 7])
async def test_a_log_that_goes_away_while_the_jobs_are_read_is_waited_for_and_every_job_is_taken_up(
    harness: Harness, refusals: int
) -> None:
    for job_id in ("job-1", "job-2"):
        await harness.job(job_id)
        harness.vma.says[job_id] = RUNNING
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.refusals = [StorageUnavailable("the connection is lost")] * refusals
    began, started = harness.clock.elapsed, Started(harness)

    await started.until_recovered(harness)

    assert set(started.poller.live) == {"job-1", "job-2"}
    assert started.supervisor.unwatched is None
    assert harness.log.events.count("jobs_not_loaded_yet") == 1
    assert harness.clock.elapsed - began >= 1.0


async def test_while_the_jobs_cannot_be_read_it_is_told_that_none_is_watched(harness: Harness) -> None:
    await harness.job()
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.refusals = [StorageUnavailable("no right to read")] * 1000
    supervisor = Started(harness).supervisor

    await while_running(supervisor.run(), lambda: supervisor.unwatched is not None)

    assert supervisor.unwatched == "no right to read"


async def test_while_guesses_cannot_be_read_it_is_told_that_they_are_not_watched(harness: Harness) -> None:
    supervisor = Started(harness, guesses=["guess"], refusals=1_000_000).supervisor

    await while_running(supervisor.run(), lambda: supervisor.unwatched_guesses is not None)

    assert (supervisor.unwatched, supervisor.unwatched_guesses) == (None, "the read model is away")


async def test_a_log_that_is_another_one_ends_the_start(harness: Harness) -> None:
    assert isinstance(harness.event_log, MemoryLog)
    harness.event_log.refusals = [LogChanged("the log is another one")]

    with pytest.RaisesGroup(LogChanged, flatten_subgroups=True):
        await Started(harness).supervisor.run()
