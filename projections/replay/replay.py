"""Replaying a recovery run: what was seen, in the order it happened, and every decision made again.

Works on nothing but the run's events, so a run that was exported can be replayed on another machine, without a
database and without a VMA. A decision that comes out differently from the one that was recorded is named: the code has
changed since. The same with another policy is a what-if.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from domain.errors import InvalidInput
from domain.events import Event, RecoveryDecided, RecoveryStarted, VMAStatusObserved
from domain.recovery_policy import Decision, Policy, decide
from domain.recovery_run import RecoveryRun
from domain.transitions import STATE_AFTER

NOT_YET = "would go on asking: the silence has not held long enough for this policy"


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """A decision. Without an outcome: the job would be asked for again."""

    outcome: str | None
    rule: str | None
    basis: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What one id answered to a probe; latency in milliseconds."""

    asked_id: str
    status: str
    http_status: int | None
    latency_ms: float
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One probe of a job. Times in seconds after the run began, `took_ms` in milliseconds."""

    after: float
    status: str
    took_ms: float
    progress_percent: float | None
    answers: tuple[Answered, ...]


@dataclass(kw_only=True)
class JobReplay:
    """One job's way through a run; `decided_after` in seconds after the run began.

    `identical`: the decision, made again from its evidence, is the recorded one.
    """

    job_id: str
    state_before: str
    cause: str
    probes: list[Probe] = field(default_factory=list)
    decided_after: float | None = None
    recorded: Ruling | None = None
    recomputed: Ruling | None = None
    identical: bool | None = None
    state_after: str | None = None
    policy_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """A job whose decision would be another one."""

    job_id: str
    run_id: str
    was: Ruling
    would_be: Ruling


@dataclass(frozen=True, kw_only=True)
class Phases:
    """Seconds from the start of a run: every job asked for, every job decided, every resumed job polled again."""

    first_round: float | None
    decided: float | None
    proven: float | None


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """A job that two runs decided by other rules; null where a run did not decide it."""

    job_id: str
    a: str | None
    b: str | None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A whole run, replayed. `different` names the jobs whose decision does not come out as recorded."""

    run: RecoveryRun
    jobs: list[JobReplay]
    decisions: int
    identical: int
    different: list[Change]


def replay(events: Iterable[Event]) -> Replay:
    """Replay a run from its events, in the order of the log.

    Raises:
        InvalidInput: the events are not those of one run, from its start.

    """
    known = list(events)
    run = RecoveryRun.fold(None, (event for event in known if event.topic.startswith("RecoveryRun")))
    if run is None or run.started_at is None:
        raise InvalidInput("these are not the events of a recovery run: its start is missing")
    jobs: dict[str, JobReplay] = {}
    for event in known:
        _add(jobs, event, run.started_at)
    decided = [(job.job_id, job.recorded, job.recomputed) for job in jobs.values() if job.recorded and job.recomputed]
    different = [Change(job_id=id_, run_id=run.id, was=was, would_be=now) for id_, was, now in decided if was != now]
    identical = len(decided) - len(different)
    return Replay(run=run, jobs=list(jobs.values()), decisions=len(decided), identical=identical, different=different)


def what_if(events: Iterable[Event], changed: dict[str, float]) -> list[Change]:
    """Return the jobs that would be decided otherwise if the policy had had these numbers instead."""
    changes = []
    for event in events:
        if isinstance(event, RecoveryDecided):
            was = _ruling(event)
            would_be = _decided_again(event, msgspec.structs.replace(event.policy, **changed))
            if (was.outcome, was.rule, was.basis) != (would_be.outcome, would_be.rule, would_be.basis):
                changes.append(Change(job_id=event.originator_id, run_id=event.run_id, was=was, would_be=would_be))
    return changes


def policy_changes(asked: dict[str, Any]) -> dict[str, float]:
    """Check the numbers of a what-if.

    Raises:
        InvalidInput: there is no such number, or it is none.

    """
    try:
        known = msgspec.convert(asked, Policy, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"policy: {error}") from None
    if not all(math.isfinite(getattr(known, name, 0.0)) for name in asked):
        raise InvalidInput("policy: a number of the policy must be finite")
    unknown = sorted(set(asked) - set(Policy.__struct_fields__))
    if unknown:
        raise InvalidInput(f"policy: no number {unknown[0]!r}; there are: {', '.join(Policy.__struct_fields__)}")
    return {name: getattr(known, name) for name in asked}


def compare(a: Replay, b: Replay) -> list[RuleChange]:
    """Return the jobs that two runs decided by other rules, or that only one of them had."""
    rules = [{job.job_id: job.recorded.rule if job.recorded else None for job in run.jobs} for run in (a, b)]
    return [
        RuleChange(job_id=job_id, a=rules[0].get(job_id), b=rules[1].get(job_id))
        for job_id in sorted(rules[0].keys() | rules[1].keys())
        if rules[0].get(job_id) != rules[1].get(job_id)
    ]


def phases(done: Replay) -> Phases:
    """Return how long each phase of a run took."""
    first = [job.probes[0].after for job in done.jobs if job.probes]
    decided = [job.decided_after for job in done.jobs if job.decided_after is not None]
    proven = done.run.totals.verified_in
    return Phases(first_round=max(first, default=None), decided=max(decided, default=None), proven=proven)


def _add(jobs: dict[str, JobReplay], event: Event, began: datetime) -> None:
    match event:
        case RecoveryStarted():
            # A crash in the middle: the same job may be taken up again in a later run, never twice in one.
            jobs[event.originator_id] = JobReplay(
                job_id=event.originator_id, state_before=event.from_state.value, cause=event.cause.value
            )
        case VMAStatusObserved() if event.originator_id in jobs:
            jobs[event.originator_id].probes.append(_probe(event, began))
        case RecoveryDecided() if event.originator_id in jobs:
            job = jobs[event.originator_id]
            job.decided_after = round((event.recorded_at - began).total_seconds(), 3)
            job.recorded, job.recomputed = _ruling(event), _decided_again(event, event.policy)
            job.identical = job.recorded == job.recomputed
            job.state_after, job.policy_hash = STATE_AFTER[event.outcome].value, event.policy_hash
        case _:
            pass


def _probe(event: VMAStatusObserved, began: datetime) -> Probe:
    seen = event.observation
    return Probe(
        after=round((event.recorded_at - began).total_seconds(), 3),
        status=seen.status.value,
        took_ms=seen.took_ms,
        progress_percent=seen.progress_percent,
        answers=tuple(
            Answered(
                asked_id=a.asked_id,
                status=a.status.value,
                http_status=a.http_status,
                latency_ms=a.latency_ms,
                detail=a.detail,
            )
            for a in seen.answers
        ),
    )


def _ruling(decided: RecoveryDecided | Decision) -> Ruling:
    return Ruling(
        outcome=decided.outcome.value,
        rule=decided.rule.value,
        basis=decided.basis.value if decided.basis else None,
        reason=decided.reason,
    )


def _decided_again(event: RecoveryDecided, policy: Policy) -> Ruling:
    decision = decide(event.evidence, policy)
    if decision is None:
        return Ruling(outcome=None, rule=None, basis=None, reason=NOT_YET)
    return _ruling(decision)
