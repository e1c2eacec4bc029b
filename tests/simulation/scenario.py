"""What happens in a simulation, told by a seed: jobs, lives of the service, and everything that goes wrong."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import Engine, insert

from adapters.simulated_vma.world import World
from adapters.worker_reports import read_report
from domain.application import Registration
from domain.errors import JobRecoveryError
from domain.events import Cause, Trace
from domain.recovery_policy import Outcome
from projections import schema
from projections.bookmark import NAME
from projections.projector import Projector
from tests.read_model import Rows, rows_of
from tests.simulation.invariants import Invariants, Truth, Violation
from tests.simulation.life import Life, SilentLog
from tests.simulation.loop import Machine, SimulatedClock, SimulatedLoop
from tests.simulation.network import Weather
from tests.simulation.store import Disk, SimulatedLog

CALM = 26.0
"""Virtual seconds without trouble after which everything must be known: longer than every timeout together."""

TO_NOTICE = 6.0
"""Virtual seconds within which a change of what is true must be noticed and decided."""

LOOK = 0.25
VMAS = ("default", "second")
REPORTS = ("exports", "exports", "job_id", "both", "shared_job_id", "shared_export")
TRACE = Trace("request-simulated", "request-simulated", "operator")


class Told(msgspec.Struct, kw_only=True):
    """What came of a simulation."""

    seed: int
    restarts: int = 0
    events: int = 0
    virtual_seconds: float = 0.0
    digest: str | None = None
    violation: str | None = None


class Simulation:
    """One seed's story."""

    def __init__(self, seed: int, loop: SimulatedLoop, engine: Engine) -> None:
        self.rng = random.Random(seed)
        self.told = Told(seed=seed)
        self.machine = Machine(loop)
        self.clock = SimulatedClock(self.machine)
        self.disk = Disk()
        self.worlds = {name: World(loop.time) for name in VMAS}
        self.weather = {name: Weather() for name in VMAS}
        self.on_vma: dict[str, str] = {}
        self.volumes: dict[str, list[str]] = {}
        self.ended_by_hand: set[str] = set()
        self._followed: set[str] = set()
        self._reports: dict[str, str] = {}
        self._been: dict[str, set[str]] = {}
        self._engine = engine
        self._invariants = Invariants(self.disk, self.ever)
        self._life = self._born()

    async def run(self) -> Told:
        """Live several lives in bad weather, then one in calm, and look whether all is well."""
        self.lose_the_read_model()
        for n in range(self.rng.randint(2, 7)):
            volumes = [f"job-{n}-disk-{m}" for m in range(self.rng.choice([1, 1, 2, 3]))]
            self._begin_job(f"job-{n}", self.rng.choice(VMAS), volumes)
        waiting = list(self.on_vma)
        for _ in range(self.rng.randint(3, 6)):
            await self._live(waiting)
            await self._restart()
        await self._calm(waiting)
        self.told.events = len(self.disk.events)
        self.told.digest = sha256(msgspec.json.encode(self.disk.events)).hexdigest()[:16]
        self.told.virtual_seconds = self.clock.monotonic()
        return self.told

    async def end(self) -> None:
        """Leave nothing running."""
        await self._life.kill()

    def errand(self, work: Awaitable[object]) -> None:
        """Do what a request asks for; a refusal is an answer, too."""

        async def answered() -> None:
            try:
                await work
            except JobRecoveryError:
                return

        self._life.errand(answered())

    def ever(self, job_id: str) -> set[str]:
        """Return everything that the job has truly been, up to now; nothing if its worker has not begun."""
        if job_id not in self.on_vma:
            return set()
        been = self._been.setdefault(job_id, set())
        been.add(self.worlds[self.on_vma[job_id]].truth(job_id))
        return been

    def any_job(self) -> tuple[str, World]:
        """Return any job and its world; what it was until now is remembered."""
        job_id = self.rng.choice(list(self.on_vma))
        self.ever(job_id)
        return job_id, self.worlds[self.on_vma[job_id]]

    def any_weather(self) -> Weather:
        """Return the weather to any VMA."""
        return self.weather[self.rng.choice(VMAS)]

    def lose_the_read_model(self) -> None:
        """Delete the read model, as an operator may at any time."""
        with self._engine.begin() as connection:
            for table in schema.metadata.sorted_tables:
                connection.execute(table.delete())
            row = {"name": NAME, "version": schema.VERSION, "notification_id": 0}
            connection.execute(insert(schema.position).values(row))

    async def report(self) -> None:
        """Have a worker report by itself, late, and perhaps twice."""
        job_id, world = self.any_job()
        word = {"running": "in_progress", "completed": "completed", "failed": "failed"}.get(world.truth(job_id))
        if word is None:
            return
        percent = 100.0 if word == "completed" else min(99.0, world.progress(job_id))
        disks = [{"disk_id": v, "status": word, "progress_percent": percent} for v in self.volumes[job_id]]
        told = {"status": word, "progress_percent": percent, "disks": disks if word == "completed" else []}
        sent_at = self.clock.now()
        for _ in range(self.rng.randint(1, 2)):
            await asyncio.sleep(self.rng.uniform(0.0, 1.0))
            seen = read_report(job_id, self.on_vma[job_id], self.volumes[job_id], told, self.clock.now())
            await self._life.service.reports.take(job_id, seen, TRACE, sent_at)

    async def decide_by_hand(self) -> None:
        """Have an operator end a job."""
        job_id, _ = self.any_job()
        outcome = self.rng.choice([Outcome.COMPLETE, Outcome.FAIL])
        self.ended_by_hand.add(job_id)
        await self._life.service.app.operator_decide(job_id, outcome, "mara", "knows better", TRACE)

    async def recover_by_hand(self) -> None:
        """Have an operator recover all open jobs."""
        service = self._life.service
        await service.recovery.run(Cause.OPERATOR, await service.queries.open_jobs(), asked_by=TRACE)

    async def begin_next_job(self) -> None:
        """Begin another job on the disks of one that has ended, of which the VMA has the last word still."""
        ended = [job_id for job_id in self.on_vma if self._can_be_followed(job_id)]
        if not ended:
            return
        before, name = self.rng.choice(ended), f"job-{len(self._followed)}-more"
        self._followed.add(before)
        vma, volumes = self.on_vma[before], self.volumes[before]
        await self._register(name, vma, volumes)
        self._begin_job(name, vma, volumes)

    def _can_be_followed(self, job_id: str) -> bool:
        """Whether the job has ended, and the service has heard of each disk of which the VMA still says something.

        A worker that takes the next disk under the same id after one has failed cannot be told from the next job's.
        """
        job, world = self._invariants.jobs.get(job_id), self.worlds[self.on_vma[job_id]]
        if job is None or job.is_open or job_id in self._followed:
            return False
        spoken = sum(world.progress_of(export) is not None for export in self._exports(job_id))
        goes_on = self._reports[job_id] == "shared_export" and len(self.volumes[job_id]) > 1
        return world.truth(job_id) in {"completed", "failed"} and spoken == len(job.disks) and not goes_on

    def _begin_job(self, name: str, vma: str, volumes: list[str]) -> None:
        rng = self.rng
        self.on_vma[name], self.volumes[name] = vma, volumes
        self._reports[name] = rng.choice(REPORTS)
        self.worlds[vma].add_job(
            name,
            volumes,
            duration=rng.choice([3.0, 8.0, 20.0, 1000.0]),
            progress=rng.choice([0.0, 30.0, 80.0, 95.0]),
            reports=self._reports[name],
            starts_in=rng.choice([0.0, 0.0, 1.5]),
            outcome=rng.choice(["complete", "complete", "fail", "hang"]),
            error=rng.choice([None, "datastore is full"]),
            disk_gap=0.7,
        )

    async def _register(self, name: str, vma: str, volumes: list[str]) -> None:
        context = f"vm-{name}" if self.rng.random() < 0.8 else "vm-shared"
        asked = Registration(job_id=name, vm_name=name, vm_context_id=context, volume_ids=tuple(volumes), vma=vma)
        await self._life.service.app.register(asked, TRACE)

    async def _register_begun(self, name: str) -> None:
        await self._register(name, self.on_vma[name], self.volumes[name])

    async def _live(self, waiting: list[str]) -> None:
        for _ in range(self.rng.randint(2, 6)):
            if waiting and self.rng.random() < 0.7:
                self.errand(self._register_begun(waiting.pop()))
            self.rng.choice(TROUBLES)(self)
            await self._pass(self.rng.uniform(0.1, 1.6))

    async def _calm(self, waiting: list[str]) -> None:
        """Heal everything; what can be known must then be known."""
        for healed in self.weather:
            self.weather[healed] = Weather()
        self.disk.full, self.disk.lag = False, 0.0
        for name in waiting:
            self.errand(self._register_begun(name))
        await self._pass(2.0)
        await self._restart()
        await self._pass(CALM)
        before = {job_id: self._truth(job_id).now for job_id in self.on_vma}
        await self._pass(TO_NOTICE)
        truths = {job_id: self._truth(job_id) for job_id in self.on_vma}
        lasting = {job_id: truth for job_id, truth in truths.items() if truth.now == before[job_id]}
        self._invariants.settled(lasting, self.ended_by_hand)
        await self._life.kill()
        followed = await self._projected()
        self.lose_the_read_model()
        self._invariants.projected(self._engine, followed, await self._projected())

    async def _projected(self) -> Rows:
        await Projector(self._engine, SimulatedLog(self.disk, self.rng), self.clock, SilentLog()).catch_up()
        return rows_of(self._engine)

    def _truth(self, job_id: str) -> Truth:
        world = self.worlds[self.on_vma[job_id]]
        reports = self._reports[job_id]
        # Under its exports there may be what is left of the job before, where the worker uses the job's own id.
        ids = [job_id] if reports.endswith("job_id") else self._exports(job_id)
        return Truth(
            now=world.truth(job_id),
            ever=self.ever(job_id),
            known=job_id not in self._followed and any(map(world.progress_of, ids)),
            clear=len(self.volumes[job_id]) == 1 or reports in {"exports", "both"},
        )

    def _exports(self, job_id: str) -> list[str]:
        return [f"migration-vol-{volume}" for volume in self.volumes[job_id]]

    async def _pass(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until:
            await asyncio.sleep(min(LOOK, until - now))
            if self._invariants.first_wrong is not None:
                raise self._invariants.first_wrong
            if self._life.fault is not None:
                raise Violation(f"the service ended by itself: {self._life.fault!r}")
            self._invariants.look_around(self._life.service, self.clock.monotonic())

    async def _restart(self) -> None:
        """Kill the service, perhaps again while it recovers, and start it after a while."""
        for _ in range(self.rng.choice([1, 1, 2])):
            await self._life.kill()
            await asyncio.sleep(self.rng.choice([0.0, 0.3, 2.0]))
            if self.rng.random() < 0.15:
                self.lose_the_read_model()
            self._life = self._born()
            self.told.restarts += 1
            await self._pass(self.rng.uniform(0.0, 1.5))

    def _born(self) -> Life:
        self.clock = SimulatedClock(self.machine, self.clock.anchor())
        self._invariants.restarted(self.clock.monotonic())
        number = self.told.restarts
        return Life(number, self.disk, self._engine, self.worlds, self.weather, self.clock, self.rng)


def _weather(**how: float | bool) -> Callable[[Simulation], None]:
    def change(story: Simulation) -> None:
        weather = story.any_weather()
        for name, value in how.items():
            setattr(weather, name, value)

    return change


def _clear(story: Simulation) -> None:
    story.weather[story.rng.choice(VMAS)] = Weather()
    story.disk.full, story.disk.lag = False, 0.0


def _vma_restarts(story: Simulation) -> None:
    for job_id in story.on_vma:
        story.ever(job_id)
    story.worlds[story.rng.choice(VMAS)].restart(reannounce=story.rng.choice([0.3, 2.0, 4.0]))


def _vma_forgets(story: Simulation) -> None:
    job_id, world = story.any_job()
    world.forget(job_id, story.rng.choice([0.5, 2.0, 4.0]))


def _job_vanishes(story: Simulation) -> None:
    job_id, world = story.any_job()
    world.remove(job_id)


def _job_ends(story: Simulation) -> None:
    job_id, world = story.any_job()
    if world.truth(job_id) == "running":
        world.finish(job_id) if story.rng.random() < 0.5 else world.fail(job_id, "disk error")


def _job_freezes(story: Simulation) -> None:
    job_id, world = story.any_job()
    world.freeze(job_id) if story.rng.random() < 0.5 else world.resume(job_id)


def _clock_is_set(story: Simulation) -> None:
    hours = story.rng.choice([0, 1, -1, 7, -24 * 365, 24 * 365 * 10])
    story.machine.set_off = timedelta(hours=hours)


def _disk_troubles(story: Simulation) -> None:
    story.disk.full = story.rng.random() < 0.5
    story.disk.lag = story.rng.choice([0.0, 0.05, 0.4])


TROUBLES: list[Callable[[Simulation], None]] = [
    _clear,
    _clear,
    _weather(refused=True),
    _weather(silent=True),
    _weather(lost=0.3),
    _weather(garbled=0.3),
    _weather(garbled=1.0),
    _weather(latency=0.5),
    _weather(out_of_files=True),
    _vma_restarts,
    _vma_forgets,
    _job_vanishes,
    _job_ends,
    _job_freezes,
    _disk_troubles,
    _clock_is_set,
    lambda story: story.errand(story.begin_next_job()),
    lambda story: story.errand(story.report()),
    lambda story: story.errand(story.decide_by_hand()),
    lambda story: story.errand(story.recover_by_hand()),
]
