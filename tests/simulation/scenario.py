"""The course of a simulation, determined by a seed: jobs, processes of the service, and hazards."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from hashlib import sha256

import msgspec
from sqlalchemy import Engine, insert

from adapters.simulated_vma.reports import ReportForm
from adapters.simulated_vma.vocabulary import truth_of_status
from adapters.simulated_vma.world import World
from adapters.vma.worker_reports import read_report
from domain.errors import JobRecoveryError, VolumeBusy
from domain.events import Cause, Trace
from domain.processes.awake import ABSENT
from domain.recovery_policy import Outcome
from domain.replication_job import Registration
from projections.read_model import schema
from projections.read_model.checkpoint import NAME
from projections.read_model.projector import Projector
from tests.simulation.ground_truth import NEAR_END, GroundTruth, JobTruth
from tests.simulation.hazards import HAZARDS, SOON
from tests.simulation.instance import Instance, SilentLogger, Sites
from tests.simulation.invariants import Invariants, Truth
from tests.simulation.network import Conditions
from tests.simulation.store import Disk, SimulatedEventLog
from tests.simulation.violation import Violation
from tests.support.loop import Machine, SimulatedClock, SimulatedLoop
from tests.support.read_model import Rows, rows_of

CALM = 30.0
"""Virtual seconds without hazards after which every state must be known: more than all timeouts together."""

REACTION = 6.0
"""Virtual seconds within which the service must observe and decide a change."""

CHECK_INTERVAL = 0.25

RARE = 100
"""One seed in this many begins with known jobs of one VMA that forgets them all; by chance, one in a thousand does."""

REBOOTS, REBOOT = 20, 16
"""One seed in this many, with this remainder, begins with VMAs that reboot while they are unreachable."""

VMAS = ("default", "second")
REPORTS = ("exports", "exports", "job_id", "both", "shared_job_id", "shared_export", "first_export")
FORMS: tuple[ReportForm, ...] = ("full", "status_only", "disks_by_index", "error_object", "no_timestamp", "above_100")
TRACE = Trace("request-simulated", "request-simulated", "operator")


class Result(msgspec.Struct, kw_only=True):
    """The result of a simulation, with the number of each hazard."""

    seed: int
    restarts: int = 0
    events: int = 0
    virtual_seconds: float = 0.0
    hazards: Counter[str] = msgspec.field(default_factory=Counter)
    rules: Counter[str] = msgspec.field(default_factory=Counter)
    digest: str | None = None
    violation: str | None = None


class Simulation:
    """The simulation of one seed."""

    def __init__(self, seed: int, loop: SimulatedLoop, engine: Engine, disk: Disk | None = None) -> None:
        self.rng = random.Random(seed)
        self._is_rare = seed % RARE == RARE - 1
        self._reboots = seed % REBOOTS == REBOOT
        self.result = Result(seed=seed)
        self.machine = Machine(loop)
        self.clock = SimulatedClock(self.machine)
        self.disk = disk or Disk()
        self.worlds = {name: World(loop.time) for name in VMAS}
        self.conditions = {name: Conditions() for name in VMAS}
        self.ground_truth = GroundTruth(loop.time, self.worlds, self.conditions)
        self.ended_by_hand: set[str] = set()
        self.false_documents: set[str] = set()
        self.partly_completed: set[str] = set()
        self._loop = loop
        self._elsewhere = World(loop.time)
        self._succeeded: set[str] = set()
        self._engine = engine
        self._invariants = Invariants(self.disk, self.ground_truth)
        self._instance = self._start_instance(calm=True)

    async def run(self) -> Result:
        """Run several processes with hazards, then one without, and check the final states."""
        self.lose_the_read_model()
        waiting = [self._new_job(f"job-{n}") for n in range(self.rng.randint(2, 7))]
        if not self.ground_truth.jobs["job-0"].has_begun:
            self._begin_worker("job-0")
        if self._is_rare:
            await self._forget_all_that_are_known(waiting)
        if self._reboots:
            await self._reboot_while_unreachable(waiting)
        for _ in range(self.rng.randint(3, 6)):
            await self._run_with_hazards(waiting)
            await self._restart()
        await self._calm(waiting)
        self.result.events = len(self.disk.events)
        self.result.digest = sha256(msgspec.json.encode(self.disk.events)).hexdigest()[:16]
        self.result.virtual_seconds = self.clock.monotonic()
        return self.result

    async def end(self) -> None:
        """Kill the service."""
        await self._instance.kill()

    def request(self, work: Awaitable[object]) -> None:
        """Do the work of a request in the background; a refusal is a valid answer."""

        async def answered() -> None:
            try:
                await work
            except JobRecoveryError:
                return

        self._instance.request(answered())

    def any_vma(self) -> str:
        """Return the name of any VMA."""
        return VMAS[0] if self._is_rare else self.rng.choice(VMAS)

    def any_conditions(self) -> Conditions:
        """Return the conditions of any VMA."""
        return self.conditions[self.any_vma()]

    def any_job(self) -> tuple[str, World]:
        """Return any job whose worker has begun, and its world."""
        job_id = self.rng.choice([job_id for job_id, job in self.ground_truth.jobs.items() if job.has_begun])
        return job_id, self.worlds[self.ground_truth.jobs[job_id].vma]

    def suspend(self, seconds: float) -> None:
        """Suspend the service's process for this time; everything else continues."""
        self._loop.pass_over(seconds)
        if seconds > ABSENT:
            self.ground_truth.interrupted()
        self._invariants.restarted(self.clock.monotonic())

    def lose_the_read_model(self) -> None:
        """Delete the read model, as an operator may at any time."""
        with self._engine.begin() as connection:
            for table in schema.metadata.sorted_tables:
                connection.execute(table.delete())
            row = {"name": NAME, "is_valid": True, "notification_id": 0}
            connection.execute(insert(schema.position).values(row))

    async def report(self) -> None:
        """Have a worker report by itself, late, and perhaps twice."""
        job_id, world = self.any_job()
        if world.truth(job_id) == "gone":
            return
        truth = self.ground_truth.jobs[job_id]
        form = self.rng.choice(FORMS)
        if form == "above_100" and world.progress(job_id) < NEAR_END:
            return
        _, result = world.report_of(job_id, form)
        sent = read_report(job_id, truth.vma, truth.volumes, result, self.clock.now())
        sent_at = self.clock.now()
        for _ in range(self.rng.randint(1, 2)):
            await asyncio.sleep(self.rng.uniform(0.0, 1.0))
            why = await self._owner_of(truth.vma).service.reports.apply(job_id, sent, TRACE, sent_at)
            if why is None or "into account" in why:
                self.ground_truth.reported[job_id] = self.clock.monotonic()

    async def decide_by_hand(self) -> None:
        """Have an operator end a job, or correct a guess."""
        job_id, _ = self.any_job()
        outcome = self.rng.choice([Outcome.COMPLETE, Outcome.FAIL])
        self.ended_by_hand.add(job_id)
        await self._instance.service.app.operator_decide(job_id, outcome, "mara", "knows better", TRACE)

    async def recover_by_hand(self) -> None:
        """Have an operator recover all open jobs."""
        service = self._instance.service
        await service.recovery.run(Cause.OPERATOR, await service.app.open_jobs(), asked_by=TRACE)

    async def begin_next_job(self) -> None:
        """Begin the next job on the disks of one that has ended for the service, whatever its worker does."""
        ended = [job_id for job_id, job in self._invariants.jobs.items() if not job.is_open]
        ended = [job_id for job_id in ended if job_id not in self._succeeded]
        if not ended:
            return
        before, name = self.rng.choice(ended), f"job-{len(self.ground_truth.jobs)}-more"
        former = self.ground_truth.jobs[before]
        self._succeeded.add(before)
        ambiguous = (
            self.ground_truth.state(before) not in {"completed", "failed"}
            or self.conditions[former.vma] != Conditions()
        )
        self.ground_truth.jobs[name] = JobTruth(
            vma=former.vma,
            volumes=former.volumes,
            ambiguous=ambiguous
            or self._is_at_wrong_address(former.vma)
            or former.ambiguous
            or former.reports not in {"exports", "both"},
        )
        if self.ground_truth.state(before) == "failed" and former.reports.startswith("shared"):
            # It would continue with its next disk under the same id, which looks like the next job's worker.
            self.worlds[former.vma].kill(before)
        await self._register(name)
        self._begin_next_worker(before, name)

    async def register_on_a_busy_volume(self) -> None:
        """Register a second job on a volume of an open one, which must be refused."""
        busy = [job for job in self._invariants.jobs.values() if job.is_open]
        if not busy:
            return
        job = self.rng.choice(busy)
        beside = JobTruth(
            vma=job.vma, volumes=list(job.volume_ids), ambiguous=True, registered_at=self.clock.monotonic()
        )
        self.ground_truth.jobs[f"{job.id}-beside"] = beside
        asked = Registration(
            job_id=f"{job.id}-beside", vm_name="vm", vm_context_id="vm-beside", volume_ids=job.volume_ids, vma=job.vma
        )
        try:
            await self._instance.service.registrar.register(asked, TRACE)
        except VolumeBusy:
            return
        if self._invariants.jobs[job.id].is_open:
            raise Violation(f"{asked.job_id} has the volumes of {job.id}, which is open")

    def _owner_of(self, _vma: str) -> Instance:
        """Return the instance to which a worker's report is forwarded."""
        return self._instance

    def _new_job(self, name: str) -> str:
        """Make a job with disks of its own, which an unregistered job may have had before."""
        rng = self.rng
        volumes = [f"{name}-disk-{m}" for m in range(rng.choice([1, 1, 2, 3]))]
        job = self.ground_truth.jobs[name] = JobTruth(vma=self.any_vma(), volumes=volumes)
        if rng.random() < 0.2:
            world = self.worlds[job.vma]
            world.add_job(f"{name}-unknown", volumes)
            world.finish(f"{name}-unknown") if rng.random() < 0.7 else world.fail(f"{name}-unknown")
            job.may_be_completed_by_another = job.ambiguous = True
            self.result.hazards["a_volume_has_a_past_that_nobody_knows"] += 1
        if rng.random() < 0.8:
            self._begin_worker(name)
        return name

    def _begin_next_worker(self, before: str, name: str) -> None:
        """Begin the next job's worker after the previous one is dead: an export serves one at a time."""
        if self.rng.random() < 0.3:
            return
        world, rng = self.worlds[self.ground_truth.jobs[name].vma], self.rng
        if self.ground_truth.jobs[before].has_begun and world.truth(before) == "running":
            world.remove(before) if rng.random() < 0.5 else world.kill(before)
        elif self.ground_truth.jobs[before].has_begun and self.ground_truth.is_forgotten(before):
            # A worker that ended before its first document writes none beside the next worker's.
            world.remove(before)
        how: dict[str, object] = {}
        if rng.random() < 0.5:
            how["keeps_figures"] = rng.choice([0.0, 1.0, 5.0, 1000.0])
            self.result.hazards["a_worker_keeps_old_figures"] += 1
        self._begin_worker(name, **how)
        job = self.ground_truth.jobs[name]
        # The first export tells nothing about disks whose own exports have documents of other workers.
        job.ambiguous = job.ambiguous or (len(job.volumes) > 1 and job.reports in {"shared_export", "first_export"})

    def _begin_worker(self, name: str, **how: object) -> None:
        rng, job = self.rng, self.ground_truth.jobs[name]
        job.reports, job.has_begun = rng.choice(REPORTS), True
        fresh = "keeps_figures" in how or job.reports.startswith("shared")
        further = [f"{name}-disk-more"] if job.reports == "both" and rng.random() < 0.3 else []
        self.result.hazards["a_disk_was_not_registered"] += len(further)
        self.worlds[job.vma].add_job(
            name,
            [*job.volumes, *further],
            duration=rng.choice([3.0, 8.0, 20.0, 1000.0]),
            # A worker that reports old figures has copied nothing, nor has one that copies disk after disk.
            progress=0.0 if fresh else rng.choice([0.0, 30.0, 80.0, 95.0]),
            reports=job.reports,
            lists_disks=rng.random() < 0.7,
            starts_in=rng.choice([0.0, 0.0, 1.5]),
            outcome=rng.choice(["complete", "complete", "fail", "hang"]),
            error=rng.choice([None, "datastore is full"]),
            disk_gap=0.7,
            **how,
        )

    async def _register(self, name: str) -> None:
        job = self.ground_truth.jobs[name]
        is_first = job.registered_at is None
        context = f"vm-{name}" if self.rng.random() < 0.8 else "vm-shared"
        if is_first:
            job.registered_at = self.clock.monotonic()
            # A document that was there before is another job's; one that could not be asked for may be this job's.
            job.ambiguous = (
                job.ambiguous or self.conditions[job.vma] != Conditions() or self._is_at_wrong_address(job.vma)
            )
        asked = Registration(
            job_id=name, vm_name=name, vm_context_id=context, volume_ids=tuple(job.volumes), vma=job.vma
        )
        try:
            await self._instance.service.registrar.register(asked, TRACE)
        finally:
            # The VMA is asked some time after the request comes; a worker may end meanwhile.
            ended = any(self._has_ended(job.vma, export) for export in (name, *job.exports))
            job.ambiguous = job.ambiguous or (is_first and ended)

    async def _run_with_hazards(self, waiting: list[str]) -> None:
        for _ in range(self.rng.randint(2, 6)):
            if waiting and self.rng.random() < 0.7:
                self.request(self._register(waiting.pop()))
            hazard = self.rng.choice(HAZARDS)
            self.ground_truth.record()
            hazard(self)
            self.result.hazards[hazard.__name__] += 1
            self.ground_truth.record()
            await self._pass(self.rng.uniform(0.1, 1.6))

    async def _forget_all_that_are_known(self, waiting: list[str]) -> None:
        """Register all jobs, let them be seen, and restart the VMA; the workers report again within its timeout."""
        while waiting:
            self.request(self._register(waiting.pop()))
        await self._pass(REACTION)
        self.ground_truth.restart(self.any_vma(), (3.0, 4.0))
        self.result.hazards["a_vma_forgets_all_jobs_that_are_known"] += 1
        await self._pass(REACTION)

    async def _reboot_while_unreachable(self, waiting: list[str]) -> None:
        """Register all jobs, let them be seen, and reboot the VMAs, whose workers may die; the service may end, too."""
        while waiting:
            self.request(self._register(waiting.pop()))
        for job_id, job in self.ground_truth.jobs.items():
            if self.ground_truth.state(job_id) == "running" and self.rng.random() < 0.5:
                self.worlds[job.vma].set_status(job_id, "running", percent=self.rng.choice([50.0, 95.0, 95.0]))
        await self._pass(REACTION)
        for vma in VMAS:
            self.conditions[vma] = Conditions(refused=True)
            await self._pass(self.rng.uniform(0.5, 4.0))
            for job_id, job in self.ground_truth.jobs.items():
                if job.vma == vma and self.ground_truth.state(job_id) == "running" and self.rng.random() < 0.7:
                    self.worlds[vma].kill(job_id)
            self.ground_truth.restart(vma, self.rng.choice(SOON))
            self.result.hazards["a_vma_reboots_while_it_is_unreachable"] += 1
            if self.rng.random() < 0.4:
                await self._restart()
            self.conditions[vma] = Conditions()
            await self._pass(REACTION)

    async def _calm(self, waiting: list[str]) -> None:
        """Remove all hazards; everything that can be known must then be known."""
        for name in self.conditions:
            self.conditions[name] = Conditions()
        self.disk.full, self.disk.lag = False, 0.0
        self.ground_truth.record()
        for job_id, job in self.ground_truth.jobs.items():
            if self.ground_truth.state(job_id) == "running":
                self.worlds[job.vma].say(job_id)
            elif job_id in self.false_documents:
                # A worker that has ended does not correct its document.
                job.ambiguous = True
        await self._restart(calm=True)
        for name in waiting:
            self.request(self._register(name))
        await self._pass(2.0)
        await self._restart(calm=True)
        await self._pass(CALM)
        before = {job_id: self._truth(job_id).now for job_id in self.ground_truth.jobs}
        await self._pass(REACTION)
        truths = {job_id: self._truth(job_id) for job_id in self.ground_truth.jobs}
        lasting = {job_id: truth for job_id, truth in truths.items() if truth.now == before[job_id]}
        self._invariants.check_final_states(lasting, self.ended_by_hand)
        self.result.rules.update(job.decision.rule for job in self._invariants.jobs.values() if job.decision)
        await self.end()
        followed = await self._projected()
        self.lose_the_read_model()
        self._invariants.check_read_model(self._engine, followed, await self._projected())

    async def _projected(self) -> Rows:
        await Projector(self._engine, SimulatedEventLog(self.disk, self.rng), self.clock, SilentLogger()).catch_up()
        return rows_of(self._engine)

    def _truth(self, job_id: str) -> Truth:
        job = self.ground_truth.jobs[job_id]
        return Truth(
            now=self.ground_truth.state(job_id),
            ever=self.ground_truth.ever(job_id),
            known=job_id not in self._succeeded and not self.ground_truth.is_forgotten(job_id),
            clear=len(job.volumes) == 1 or job.reports in {"exports", "both"},
            ambiguous=job.ambiguous,
        )

    def _has_ended(self, vma: str, asked_id: str) -> bool:
        document = self.worlds[vma].progress_of(asked_id)
        return document is not None and truth_of_status(str(document["status"])) != "running"

    def _is_at_wrong_address(self, vma: str) -> bool:
        return vma in self.ground_truth.wrong_sites

    async def _pass(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until:
            await asyncio.sleep(min(CHECK_INTERVAL, until - now))
            self.ground_truth.record()
            if self._invariants.first_violation is not None:
                raise self._invariants.first_violation
            if self._instance.fault is not None:
                raise Violation(f"the service ended by itself: {self._instance.fault!r}")
            self._invariants.check_watchers([self._instance.service], self.clock.monotonic())

    async def _restart(self, *, calm: bool = False) -> None:
        """Kill the service, perhaps again while it recovers, and start it later, perhaps with wrong settings."""
        for _ in range(self.rng.choice([1, 1, 2])):
            await self._instance.kill()
            await asyncio.sleep(self.rng.choice([0.0, 0.3, 2.0, 9.0]))
            if self.rng.random() < 0.15:
                self.lose_the_read_model()
            self._instance = self._start_instance(calm=calm)
            self.result.restarts += 1
            await self._pass(self.rng.uniform(0.0, 1.5))

    def _start_instance(self, *, calm: bool) -> Instance:
        self._invariants.restarted(self.clock.monotonic())
        self.ground_truth.interrupted()
        self._invariants.sightings.restarted()
        name, log = f"life-{self.result.restarts}", SimulatedEventLog(self.disk, self.rng)
        sites = self._sites(calm=calm)
        started = Instance(name, log, self._engine, sites, self.conditions, self.clock, self.rng)
        started.service.contact.on_observed(self._invariants.sightings.observed)
        return started

    def _record_wrong_address(self, vma: str) -> None:
        """Mark the jobs that have not been seen at the right address: documents there are of unknown origin."""
        for job_id, job in self._invariants.jobs.items():
            if job.vma == vma and not job.seen_on_vma:
                self.ground_truth.jobs[job_id].ambiguous = True

    def _sites(self, *, calm: bool) -> Sites:
        """Return the VMAs in the settings of the next process: one may be missing, or be another one."""
        sites: Sites = {name: (f"http://{name}.invalid", world) for name, world in self.worlds.items()}
        self.ground_truth.wrong_sites.clear()
        if calm or self.rng.random() < 0.8:
            return sites
        name = self.any_vma()
        self.ground_truth.wrong_sites.add(name)
        if self.rng.random() < 0.5:
            self.result.hazards["a_vma_is_missing_from_the_settings"] += 1
            del sites[name]
        else:
            self.result.hazards["an_address_is_that_of_another_vma"] += 1
            self._record_wrong_address(name)
            sites[name] = (f"http://{name}-elsewhere.invalid", self._elsewhere)
        return sites
