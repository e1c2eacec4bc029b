"""The environment of a process under test: an event log, a fake clock, a scripted VMA."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import msgspec

from adapters.event_log.database_log import DatabaseEventLog
from domain.application import JobRecovery
from domain.events import Cause, Event, Trace
from domain.evidence import Silence
from domain.ports import ProbeTarget
from domain.processes.contact import Contact
from domain.processes.dependencies import Dependencies
from domain.processes.polling import Poller
from domain.processes.recovery import Recovery
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.registration import Registrar
from domain.recovery_policy import Policy
from domain.replication_job import Registration, ReplicationJob
from domain.run_book import RunBook
from domain.silences import Silences
from domain.vma_status import Answer, Document, VMAStatus, export_name
from tests.support import logs
from tests.support.builders import answer, document
from tests.support.clock import FakeClock
from tests.support.memory_log import MemoryLog

REQUEST = Trace("request-1", "request-1")
RUNNING = document(VMAStatus.RUNNING, 41.5)
COMPLETED = document(VMAStatus.COMPLETED, 100.0)


class ScriptedVMA:
    """Answers as the test last scripted; a job without a script is not found.

    After `hang`, a VMA answers only after `go_on`.
    """

    def __init__(self) -> None:
        self.says: dict[str, Document | VMAStatus] = {}
        self.details: dict[str, str] = {}
        self.asked: list[str] = []
        self.addresses: dict[str, str | None] = {}
        self._hanging: dict[str, asyncio.Event] = {}

    def hang(self, vma: str) -> None:
        self._hanging[vma] = asyncio.Event()

    def go_on(self) -> None:
        for hanging in self._hanging.values():
            hanging.set()

    async def ask_exports(self, target: ProbeTarget) -> dict[str, Answer]:
        self.asked.append(target.job_id)
        if target.vma in self._hanging:
            await self._hanging[target.vma].wait()
        content = self.says.get(target.job_id, VMAStatus.NOT_FOUND)
        answers = {volume_id: answer(export_name(volume_id), content) for volume_id in target.volume_ids}
        if (detail := self.details.get(target.job_id)) is None:
            return answers
        return {volume_id: msgspec.structs.replace(one, detail=detail) for volume_id, one in answers.items()}

    async def ask_job_id(self, target: ProbeTarget) -> list[Answer]:  # noqa: ARG002 - a port
        return []

    def address_of(self, vma: str) -> str | None:
        return self.addresses.get(vma, f"http://{vma}")


class RecordingLog:
    """A logger that records the names of its events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, /, **_: object) -> None:
        self.events.append(event)

    warning = error = info


class Harness:
    """The dependencies of every process."""

    def __init__(self, event_log: DatabaseEventLog | MemoryLog) -> None:
        self.clock = FakeClock()
        self.log = RecordingLog()
        self.vma = ScriptedVMA()
        self.policy = Policy()
        self.event_log = event_log
        self.app = JobRecovery(event_log, self.clock, self.policy)
        self.silences = Silences(self.clock, lambda: 0, longest_pause=86_400.0)
        self.contact = Contact(self.vma, self.clock, self.policy, self.silences, self.app.may_be_open)
        self.shared = Dependencies(self.app, self.contact, self.clock, self.log)
        self.requested: list[tuple[str, Cause]] = []
        self.requested_at: list[float] = []
        """Seconds of the clock, which goes on until a test sees a request."""

    def request(self, job_id: str, cause: Cause) -> None:
        """Record a request for recovery."""
        self.requested.append((job_id, cause))
        self.requested_at.append(self.clock.elapsed)

    def recovery(self, poller: Poller) -> Recovery:
        """Return what makes recovery runs, `run-1` and so on."""
        numbers = count(1)
        runs = RunBook(self.event_log, self.clock, self.log, "instance-1", lambda: f"run-{next(numbers)}")
        return Recovery(self.shared, runs, RecoveryRequests(), poller, lambda _: 5.0)

    def make_writable(self, *, writable: bool) -> None:
        """Make the log, or the database below it, refuse or accept writes."""
        if isinstance(self.event_log, MemoryLog):
            self.event_log.writable = writable
        else:
            logs.make_writable(self.event_log, writable=writable)

    async def job(self, job_id: str = "job-1", *, percent: float = 40.0, vma: str = "default") -> ReplicationJob:
        """Register a job of one disk, and return it."""
        registrar = Registrar(self.app, self.contact)
        job, _ = await registrar.register(asked(job_id, percent=percent, vma=vma), REQUEST)
        return job

    async def decided(self, job_id: str, *, inconclusive_for: float = 0.0, run_id: str | None = None) -> ReplicationJob:
        """Recover a job by the VMA's present answer, confirmed, in another run than the last one; return the job.

        `inconclusive_for` in seconds.
        """
        if run_id is None:
            run_id = "run-2" if (await self.app.job(job_id)).run_id == "run-1" else "run-1"
        await self.app.begin_recovery(job_id, run_id, Cause.RESTART, "test")
        job = await self.app.job(job_id)
        observation = await self.contact.ask(job)
        silence = Silence(status=observation.status, duration=600, probes=9, inconclusive_for=inconclusive_for)
        known = msgspec.structs.replace(self.contact.circumstances(job), silence=silence)
        await self.app.recover(job_id, run_id, observation, known, lambda _: 5.0)
        return await self.app.job(job_id)

    async def events(self) -> list[Event]:
        """Return the whole log."""
        return [event for _, event in await self.event_log.read_from(0, 10_000)]

    async def kinds(self, job_id: str = "job-1") -> list[str]:
        """Return the topics of a job's events."""
        return [event.topic for event in await self.events() if event.originator_id == job_id]


def asked(job_id: str = "job-1", *, percent: float = 0.0, vma: str = "default", **other: str) -> Registration:
    """Return the registration of a job of one disk, `disk-of-<job>`, in its own VM context."""
    return Registration(
        job_id=job_id,
        vm_name=other.get("vm_name", "vm"),
        vm_context_id=other.get("vm_context_id", f"ctx-{job_id}"),
        volume_ids=(f"disk-of-{job_id}",),
        vma=vma,
        progress_percent=percent,
    )


async def eventually(condition: Callable[[], Awaitable[bool]], turns: int = 5000) -> None:
    """Run the event loop until the condition is true, for a limited number of turns."""
    for _ in range(turns):
        if await condition():
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("the condition has not become true")


async def while_running(process: Awaitable[None], condition: Callable[[], bool], turns: int = 5000) -> None:
    """Run a process until the condition is true, for a limited number of turns of the event loop."""
    task = asyncio.ensure_future(process)
    try:
        for _ in range(turns):
            if condition() or task.done():
                break
            await asyncio.sleep(0.0002)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert condition()


@asynccontextmanager
async def running(process: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a process in the background until the block ends."""
    task = asyncio.ensure_future(process)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def asked_for(harness: Harness, questions: int) -> None:
    async def asked() -> bool:
        return len(harness.vma.asked) >= questions

    await eventually(asked)
