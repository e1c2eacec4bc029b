"""The recovery run: one pass of recovery, its cause, its jobs, and its totals."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from domain.aggregate import Aggregate
from domain.events import Cause, Event, RecoveryRunFinished, RecoveryRunInterrupted, RecoveryRunStarted, Trace
from domain.recovery_policy import Outcome, Policy

RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"


class RunTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. Durations in seconds from its start; None before.

    Of the `resumed` jobs, `polled_again` were polled, and `left_replicating` had another state before that.
    `settled_elsewhere` counts jobs that had ended before the run decided them. `decided_in`: until every job was
    decided. `verified_in`: until polling was verified for every resumed job.
    """

    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    rules: dict[str, int] = msgspec.field(default_factory=dict)
    resumed: int = 0
    polled_again: int = 0
    left_replicating: int = 0
    settled_elsewhere: int = 0
    decided_in: float | None = None
    verified_in: float | None = msgspec.field(default=None, name="proven_in")


def totals_of(decided: Mapping[tuple[str, str], int], settled_elsewhere: int = 0) -> RunTotals:
    """Return the totals of a run that is not finished, by the number of its decisions with each outcome and rule."""
    outcomes: dict[str, int] = {}
    rules: dict[str, int] = {}
    for (outcome, rule), count in decided.items():
        outcomes[outcome] = outcomes.get(outcome, 0) + count
        rules[rule] = rules.get(rule, 0) + count
    resumed = outcomes.get(Outcome.RESUME.value, 0)
    return RunTotals(outcomes=outcomes, rules=rules, resumed=resumed, settled_elsewhere=settled_elsewhere)


class RecoveryRun(Aggregate, kw_only=True):
    """One pass of recovery over a set of jobs. Durations in seconds."""

    kind: ClassVar[str] = "recovery-run"
    begins_with: ClassVar[type[Event]] = RecoveryRunStarted
    ID_PATTERN: ClassVar[str] = "run-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"

    status: str = RUNNING
    cause: Cause | None = None
    instance: str = ""
    policy: Policy | None = None
    policy_hash: str = ""
    jobs: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    totals: RunTotals = RunTotals()

    def start(  # noqa: PLR0913 - what a run is
        self, cause: Cause, instance: str, policy: Policy, job_ids: tuple[str, ...], at: datetime, trace: Trace
    ) -> None:
        """Start the run."""
        content = {"cause": cause, "instance": instance, "policy": policy, "policy_hash": policy.hash}
        self.record(RecoveryRunStarted, at, trace, **content, job_ids=job_ids)

    def finish(self, totals: RunTotals, at: datetime) -> None:
        """Finish the run with its totals. Safe to repeat."""
        if self.status == RUNNING:
            self.record(RecoveryRunFinished, at, Trace(self.id, self.last_ref), **msgspec.structs.asdict(totals))

    def interrupt(self, reason: str, at: datetime, trace: Trace) -> None:
        """Close a run whose process ended before it did. Safe to repeat."""
        if self.status == RUNNING:
            self.record(RecoveryRunInterrupted, at, trace, reason=reason)

    def evolve(self, event: Event) -> None:
        """Assign what the event states."""
        match event:
            case RecoveryRunStarted():
                self.cause, self.instance = event.cause, event.instance
                self.policy, self.policy_hash = event.policy, event.policy_hash
                self.jobs, self.started_at = len(event.job_ids), event.recorded_at
            case RecoveryRunFinished():
                self.status, self.ended_at = FINISHED, event.recorded_at
                self.totals = RunTotals(**{name: getattr(event, name) for name in RunTotals.__struct_fields__})
            case RecoveryRunInterrupted():
                self.status, self.ended_at = INTERRUPTED, event.recorded_at
            case _:
                pass
