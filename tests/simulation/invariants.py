"""The invariants of every moment of every simulation. Each message states the violation."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine, select

from api.runtime.bootstrap import Service
from domain.events import (
    Event,
    JobAdmitted,
    JobRegistered,
    OutcomeConfirmed,
    OutcomeRevised,
    RecoveryDecided,
    RecoveryRunStarted,
    VMAStatusObserved,
)
from domain.lifecycle import JobState
from domain.recovery_policy import Basis, Policy, Rule, decide
from domain.replication_job import ReplicationJob
from projections.read_model import schema
from tests.simulation.ground_truth import GroundTruth
from tests.simulation.sightings import Sightings
from tests.simulation.sources import Sources
from tests.simulation.store import Disk
from tests.simulation.violation import Violation, require
from tests.support.read_model import Rows

INFERRED = {Rule.GONE_NEAR_END, Rule.LOST, Rule.UNREACHABLE_TOO_LONG}
UNWATCHED_FOR = 3.0
"""Virtual seconds that the change from one watcher to the next may take."""


class Truth(msgspec.Struct, frozen=True):
    """The true states of a job, now and ever; whether its VMA knows it, and whether its documents cover all disks.

    A VMA does not know a job whose disks have a newer job. `ambiguous`: documents cannot always be attributed.
    """

    now: str
    ever: set[str]
    known: bool
    clear: bool
    ambiguous: bool


class Invariants:
    """Checks every commit, and the watchers at intervals."""

    def __init__(self, disk: Disk, ground_truth: GroundTruth) -> None:
        self.jobs: dict[str, ReplicationJob] = {}
        self.first_violation: Violation | None = None
        self.unwatched_for = UNWATCHED_FOR
        self.sightings = Sightings(ground_truth, self.jobs)
        self._sources = Sources(ground_truth, self.jobs, self.sightings)
        self._disk = disk
        self._active: dict[str, str] = {}
        self._decided: dict[tuple[str, str], str] = {}
        self._unwatched: dict[str, float] = {}
        disk.watchers.append(self.committed)

    def committed(self, events: Sequence[Event]) -> None:
        """Check the events of a commit; the first violation is stored, in case the service handles the error."""
        try:
            self._check(events)
        except Violation as wrong:
            self.first_violation = self.first_violation or wrong
            raise

    def _check(self, events: Sequence[Event]) -> None:
        for event in events:
            self._is_next_of_its_stream(event)
            self._sources.check(event)
            self.sightings.committed(event)
            match event:
                case RecoveryDecided():
                    self._decision(event)
                case OutcomeRevised():
                    guessed = self.jobs[event.originator_id].outcome_basis is Basis.INFERRED
                    require(guessed, f"{event.ref} revises what was observed")
                case OutcomeConfirmed():
                    guessed = self.jobs[event.originator_id].outcome_basis is Basis.INFERRED
                    require(guessed, f"{event.ref} confirms what was no guess")
                case JobAdmitted():
                    self._admission(event)
                case _:
                    pass
            self._fold(event)
        self._one_active_job_per_vm(events)

    def check_watchers(self, services: Sequence[Service], now: float) -> None:
        """Require that one of the running instances watches every open job."""
        for job in self.jobs.values():
            if not job.is_open or any(_is_watched(service, job) for service in services):
                self._unwatched.pop(job.id, None)
                continue
            since = self._unwatched.setdefault(job.id, now)
            require(
                now - since <= self.unwatched_for,
                f"{job.id} is {job.state.value}, and nobody has watched it since {since}",
            )

    def restarted(self, now: float) -> None:
        """Restart the time without a watcher, because no service ran until now."""
        self._unwatched = dict.fromkeys(self._unwatched, now)

    def check_final_states(self, truths: dict[str, Truth], excused: set[str]) -> None:
        """Require, after a long calm, that every job has its true state or is marked as a guess."""
        for job_id, truth in truths.items():
            job = self.jobs.get(job_id)
            if job is None or job_id in excused or job.contradicted:
                continue
            wrong = f"{job_id} is {truth}, and {job.state.value} by {job.decision and job.decision.rule}"
            # A document of one disk among several never confirms a guess, hides that the others stall, and may be
            # doubtful now.
            doubtful = job.is_guess or job.stalled_since is not None or job.state is JobState.RECOVERING
            if truth.ambiguous:
                continue
            if truth.now == "gone" and (truth.known or job.stalled_since is not None):
                # A dead worker's document stays unchanged.
                require(job.stalled_since is not None or not job.is_open, wrong)
            elif truth.now == "waiting":
                require(job.is_open or job.is_guess, wrong)
            elif truth.now == "running":
                require(job.state is JobState.REPLICATING or (doubtful and not truth.clear), wrong)
            elif truth.known:
                require(job.state.value == truth.now or (doubtful and not truth.clear), wrong)
            elif job.seen_on_vma and not self._may_have_ended(job):
                require(not job.is_open and (job.is_guess or job.state.value in truth.ever), wrong)

    def check_read_model(self, engine: Engine, followed: Rows, rebuilt: Rows) -> None:
        """Require that the read model equals a rebuild, in every row and column."""
        differs = [name for name, rows in rebuilt.items() if rows != followed[name]]
        require(not differs, f"differs from a rebuild: {differs}")
        with engine.connect() as connection:
            rows = connection.execute(select(schema.jobs.c.id, schema.jobs.c.version, schema.jobs.c.state)).all()
            count = len(connection.execute(select(schema.audit_trail.c.position)).all())
        expected = {(job.id, job.version, job.state.value) for job in self.jobs.values()}
        require({tuple(row) for row in rows} == expected, f"the job table differs from the jobs: {rows} for {expected}")
        require(count == len(self._disk.events), f"the trail has {count} of {len(self._disk.events)} events")

    def _may_have_ended(self, job: ReplicationJob) -> bool:
        """Return whether the job waits for an operator because its VMA truly forgot it near its end."""
        was_near_end = job.seen_percent > Policy().complete_above_percent
        waits = job.is_open and job.decision is not None and job.decision.rule == Rule.VMA_AMNESIA
        return waits and was_near_end and self.sightings.may_be_forgotten(job.id)

    def _is_next_of_its_stream(self, event: Event) -> None:
        stream = self._disk.streams[event.originator_id]
        require(stream[event.originator_version - 1] is event, f"{event.ref} is not the next of its stream")

    def _decision(self, event: RecoveryDecided) -> None:
        job_id, key = event.originator_id, (event.originator_id, event.run_id)
        require(key not in self._decided, f"{job_id} is decided twice in {event.run_id}")
        require(
            self.jobs[job_id].run_id == event.run_id, f"{event.ref} decides for {event.run_id}, which is not its run"
        )
        self._decided[key] = event.ref
        before = self.jobs[job_id].state
        require(before is JobState.RECOVERING, f"{event.ref} decides a job that is {before.value}")
        self._follows_from_its_evidence(event)

    def _follows_from_its_evidence(self, event: RecoveryDecided) -> None:
        again = decide(event.evidence, event.policy)
        same = again is not None and (again.outcome, again.rule, again.basis) == (
            event.outcome,
            event.rule,
            event.basis,
        )
        require(same, f"{event.ref}: the table makes {again} of its evidence, not {event.outcome} by {event.rule}")
        guessed = event.rule in INFERRED
        require(event.basis is Basis.INFERRED or not guessed, f"{event.ref} is a guess and calls itself {event.basis}")

    def _admission(self, event: JobAdmitted) -> None:
        active = self._active.get(event.originator_id)
        open_one = active is not None and self.jobs[active].is_open and active != event.job_id
        require(not open_one, f"{event.originator_id} admits {event.job_id} beside {active}")
        self._active[event.originator_id] = event.job_id

    def _fold(self, event: Event) -> None:
        if isinstance(event, JobRegistered) or event.originator_id in self.jobs:
            folded = ReplicationJob.fold(self.jobs.get(event.originator_id), (event,))
            assert folded is not None
            self.jobs[event.originator_id] = folded

    def _one_active_job_per_vm(self, events: Sequence[Event]) -> None:
        if any(isinstance(event, VMAStatusObserved | RecoveryRunStarted) for event in events):
            return
        active = [job.vm_context_id for job in self.jobs.values() if job.is_open]
        require(len(active) == len(set(active)), f"a VM has two active jobs: {active}")


def _is_watched(service: Service, job: ReplicationJob) -> bool:
    return job.id in service.poller.live or job.id in service.recovery.claims or job.id in service.retries.waiting
