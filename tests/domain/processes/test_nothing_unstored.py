"""What could not be stored leaves no trace in memory: failures before each command change nothing of what follows."""

from collections.abc import Awaitable, Callable

import pytest

from domain.errors import StorageUnavailable
from domain.events import Cause
from domain.processes.polling import Poller
from domain.processes.reconciliation import Reconciliation
from domain.processes.reports import Reports
from domain.processes.retry import Backoff, RetryScheduler
from domain.processes.watch import Watch
from domain.recovery_policy import Outcome
from domain.vma_status import Observation, VMAStatus
from tests.support.builders import NOON, circumstances, document
from tests.support.harness import REQUEST, RUNNING, Harness, asked
from tests.support.memory_log import MemoryLog

Command = Callable[[], Awaitable[object]]


class Life:
    """Jobs with every kind of command, on a log that fails before each of them or never."""

    def __init__(self, failures: int) -> None:
        self.harness = Harness(MemoryLog())
        shared = self.harness.shared
        self.poller = Poller(
            shared, awake=self.harness.clock.monotonic, interval=5.0, on_contact_lost=self.harness.request
        )
        self.retries = RetryScheduler(shared, Backoff(5.0, 60.0, lambda: 0.5), self.harness.request)
        self.guesses = Reconciliation(shared, first_after=5.0, ask_for=60.0)
        self.reports = Reports(shared, self.poller, self.harness.recovery(self.poller), self.harness.request)
        self.changes: list[tuple[str, list[str]]] = []
        watch = Watch(self.poller, self.retries, self.guesses)
        shared.app.subscribe(lambda job, _: watch.assign(job))
        shared.app.subscribe(lambda job, events: self.changes.append((job.id, [event.ref for event in events])))
        self._failures = failures

    async def store(self, command: Command) -> None:
        """Call a command on a log that cannot be written, so often, and then on one that can."""
        self.harness.make_writable(writable=False)
        for _ in range(self._failures):
            with pytest.raises(StorageUnavailable):
                await command()
        self.harness.make_writable(writable=True)
        await command()

    async def play(self) -> None:
        app, clock = self.harness.app, self.harness.clock
        for job_id in ("runs", "waits", "lost"):
            await self.store(lambda job_id=job_id: app.register(asked(job_id), REQUEST))  # type: ignore[misc]
        await self.report("runs", RUNNING.status, 41.5)
        await self.store(lambda: app.mark_stalled("runs", clock.now()))
        await self.observe("runs", 50.0)
        for job_id, status in (("waits", VMAStatus.UNINTELLIGIBLE), ("lost", VMAStatus.NOT_FOUND)):
            await self.observe(job_id, 30.0)
            await self.recover(job_id, status)
        await self.report("lost", VMAStatus.RUNNING, 55.0)
        await self.store(lambda: app.operator_decide("waits", Outcome.FAIL, "mara", "gone", REQUEST))
        await self.store(lambda: app.register(asked("next", vm_context_id="ctx-waits"), REQUEST))

    async def report(self, job_id: str, status: VMAStatus, percent: float) -> None:
        seen = await self._seen(job_id, status, percent)
        await self.store(lambda: self.reports.apply(job_id, seen, REQUEST, NOON))

    async def observe(self, job_id: str, percent: float) -> None:
        seen = await self._seen(job_id, VMAStatus.RUNNING, percent)
        await self.store(lambda: self.harness.app.observe(job_id, seen))
        job = await self.harness.app.job(job_id)
        if job.stalled_since is not None:
            await self.store(lambda: self.harness.app.mark_moving(job_id, seen))

    async def recover(self, job_id: str, status: VMAStatus) -> None:
        app = self.harness.app
        await self.store(lambda: app.begin_recovery(job_id, "run-1", Cause.RESTART, "test"))
        seen = await self._seen(job_id, status, None)
        known = circumstances(seen)
        await self.store(lambda: app.recover(job_id, "run-1", seen, known, lambda _: 5.0))

    async def _seen(self, job_id: str, status: VMAStatus, percent: float | None) -> Observation:
        self.harness.clock.advance(1.0)
        self.harness.vma.says[job_id] = status if percent is None else document(status, percent)
        return await self.harness.contact.ask(await self.harness.app.job(job_id))

    async def known(self) -> dict[str, object]:
        """Return what the service has stored, and what it has in memory."""
        jobs = {job.id: job for job in self.harness.app.watched}
        return {
            "events": await self.harness.events(),
            "changes": self.changes,
            "watched": jobs,
            "circumstances": {name: self.harness.contact.circumstances(job) for name, job in jobs.items()},
            "live": self.poller.live,
            "polls": (self.poller.polls, self.poller.conclusive),
            "waiting": self.retries.waiting,
            "guesses": self.guesses._guesses,
            "sent": self.reports._last_sent,
            "due": [(name, self.guesses._schedule.due_at(name), self.retries.due_in(name)) for name in jobs],
        }


async def test_two_failures_before_every_command_change_nothing_that_is_stored_or_known() -> None:
    undisturbed, disturbed = Life(0), Life(2)
    await undisturbed.play()

    await disturbed.play()

    expected, found = await undisturbed.known(), await disturbed.known()
    assert {name: (found[name], expected[name]) for name in expected if found[name] != expected[name]} == {}
