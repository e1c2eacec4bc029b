"""What must hold at every moment of every simulation, in one place. Each is named for what would be wrong."""

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
from domain.recovery_policy import Basis, Rule, decide
from domain.replication_job import ReplicationJob
from projections.read_model import schema
from tests.simulation.sources import Sources
from tests.simulation.store import Disk
from tests.simulation.truth import Reality
from tests.simulation.violation import Violation, insist
from tests.support.read_model import Rows

INFERRED = {Rule.GONE_NEAR_END, Rule.LOST, Rule.UNREACHABLE_TOO_LONG}
UNWATCHED_FOR = 3.0
"""Virtual seconds for which a job may be on its way from one watcher to the next."""


class Truth(msgspec.Struct, frozen=True):
    """What a job truly is and ever was, whether its VMA knows it still, and whether its statement covers all disks.

    A VMA knows a job no more when its disks have got another one. `vague`: the service cannot always tell.
    """

    now: str
    ever: set[str]
    known: bool
    clear: bool
    vague: bool


class Invariants:
    """Watches every commit, and looks around now and then."""

    def __init__(self, disk: Disk, reality: Reality) -> None:
        self.jobs: dict[str, ReplicationJob] = {}
        self.first_wrong: Violation | None = None
        self._sources = Sources(reality, self.jobs)
        self._disk = disk
        self._active: dict[str, str] = {}
        self._decided: dict[tuple[str, str], str] = {}
        self._unwatched: dict[str, float] = {}
        disk.watchers.append(self.committed)

    def committed(self, events: Sequence[Event]) -> None:
        """Look at what has just been stored; the first thing wrong is kept, whoever swallows the error."""
        try:
            self._look_at(events)
        except Violation as wrong:
            self.first_wrong = self.first_wrong or wrong
            raise

    def _look_at(self, events: Sequence[Event]) -> None:
        for event in events:
            self._is_next_of_its_stream(event)
            self._sources.look_at(event)
            match event:
                case RecoveryDecided():
                    self._decision(event)
                case OutcomeRevised():
                    guessed = self.jobs[event.originator_id].outcome_basis is Basis.INFERRED
                    insist(guessed, f"{event.ref} revises what was observed")
                case OutcomeConfirmed():
                    guessed = self.jobs[event.originator_id].outcome_basis is Basis.INFERRED
                    insist(guessed, f"{event.ref} confirms what was no guess")
                case JobAdmitted():
                    self._admission(event)
                case _:
                    pass
            self._fold(event)
        self._one_active_job_per_vm(events)

    def look_around(self, service: Service, now: float) -> None:
        """See that nobody is left alone by a service that runs."""
        for job in self.jobs.values():
            if not job.is_open or _is_watched(service, job):
                self._unwatched.pop(job.id, None)
                continue
            since = self._unwatched.setdefault(job.id, now)
            insist(
                now - since <= UNWATCHED_FOR, f"{job.id} is {job.state.value}, and nobody has watched it since {since}"
            )

    def restarted(self, now: float) -> None:
        """Begin to count anew: while no service runs, nobody can watch."""
        self._unwatched = dict.fromkeys(self._unwatched, now)

    def settled(self, truths: dict[str, Truth], excused: set[str]) -> None:
        """After a long calm every job is what it truly is, or says that it is a guess."""
        for job_id, truth in truths.items():
            job = self.jobs.get(job_id)
            if job is None or job_id in excused or job.contradicted:
                continue
            wrong = f"{job_id} is {truth}, and {job.state.value} by {job.decision and job.decision.rule}"
            # What speaks for one disk of several never settles a guess, hides that the others stand still, and may be
            # doubtful at this very moment.
            doubtful = job.is_guess or job.stalled_since is not None or job.state is JobState.RECOVERING
            if truth.vague:
                continue
            if truth.now == "gone" and (truth.known or job.stalled_since is not None):
                # A worker that died leaves its document, in which nothing moves.
                insist(job.stalled_since is not None or not job.is_open, wrong)
            elif truth.now == "waiting":
                insist(job.is_open or job.is_guess, wrong)
            elif truth.now == "running":
                insist(job.state is JobState.REPLICATING or (doubtful and not truth.clear), wrong)
            elif truth.known:
                insist(job.state.value == truth.now or (doubtful and not truth.clear), wrong)
            elif job.seen_on_vma:
                insist(not job.is_open and (job.is_guess or job.state.value in truth.ever), wrong)

    def projected(self, engine: Engine, followed: Rows, folded_anew: Rows) -> None:
        """The read model is the fold of the log, in every row and column, whatever interrupted it."""
        differs = [name for name, rows in folded_anew.items() if rows != followed[name]]
        insist(not differs, f"not the fold of the log: {differs}")
        with engine.connect() as connection:
            rows = connection.execute(select(schema.jobs.c.id, schema.jobs.c.version, schema.jobs.c.state)).all()
            count = len(connection.execute(select(schema.audit_trail.c.position)).all())
        expected = {(job.id, job.version, job.state.value) for job in self.jobs.values()}
        insist({tuple(row) for row in rows} == expected, f"the job table is not the fold: {rows} for {expected}")
        insist(count == len(self._disk.events), f"the trail has {count} of {len(self._disk.events)} events")

    def _is_next_of_its_stream(self, event: Event) -> None:
        stream = self._disk.streams[event.originator_id]
        insist(stream[event.originator_version - 1] is event, f"{event.ref} is not the next of its stream")

    def _decision(self, event: RecoveryDecided) -> None:
        job_id, key = event.originator_id, (event.originator_id, event.run_id)
        insist(key not in self._decided, f"{job_id} is decided twice in {event.run_id}")
        insist(
            self.jobs[job_id].run_id == event.run_id, f"{event.ref} decides for {event.run_id}, which does not hold it"
        )
        self._decided[key] = event.ref
        before = self.jobs[job_id].state
        insist(before is JobState.RECOVERING, f"{event.ref} decides a job that is {before.value}")
        self._follows_from_its_evidence(event)

    def _follows_from_its_evidence(self, event: RecoveryDecided) -> None:
        again = decide(event.evidence, event.policy)
        same = again is not None and (again.outcome, again.rule, again.basis) == (
            event.outcome,
            event.rule,
            event.basis,
        )
        insist(same, f"{event.ref}: the table makes {again} of its evidence, not {event.outcome} by {event.rule}")
        guessed = event.rule in INFERRED
        insist(event.basis is Basis.INFERRED or not guessed, f"{event.ref} is a guess and calls itself {event.basis}")

    def _admission(self, event: JobAdmitted) -> None:
        active = self._active.get(event.originator_id)
        open_one = active is not None and self.jobs[active].is_open and active != event.job_id
        insist(not open_one, f"{event.originator_id} admits {event.job_id} beside {active}")
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
        insist(len(active) == len(set(active)), f"a VM has two active jobs: {active}")


def _is_watched(service: Service, job: ReplicationJob) -> bool:
    return job.id in service.poller.live or job.id in service.recovery.claims or job.id in service.retries.waiting
