"""Replay of a recovery run: its observations in their order, and every decision made again from its evidence.

It needs only the run's events, so an exported run can be replayed on another machine, without a database and a VMA.
A decision that differs from the recorded one shows that the code has changed. A what-if replays with another policy.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from domain.errors import InvalidInput
from domain.events import Event, RecoveryDecided, RecoveryStarted, VMAStatusObserved
from domain.recovery_policy import Decision, Policy, decide
from domain.recovery_run import FINISHED, RecoveryRun, totals_of
from domain.transitions import STATE_AFTER
from projections.replay.results import (
    Change,
    JobReplay,
    Phases,
    Probe,
    ProbeAnswer,
    Replay,
    ReplayedDecision,
    RuleChange,
)

BOUNDS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(Policy.__struct_fields__, (0, None)),
    "complete_above_percent": (0, 100),
    "confirmation_probes": (1, 1000),
    "amnesia_share": (0, 1),
    "amnesia_at_least": (1, 2**53),
}
"""The least and the largest value of each number of another policy."""

UNDECIDED = "no decision yet: the silence is too short for this policy"


def replay(events: Iterable[Event]) -> Replay:
    """Return the replay of a run from its events, in the order of the log.

    Raises:
        InvalidInput: the events are not those of one run, from its start.

    """
    known = list(events)
    run = RecoveryRun.fold(None, (event for event in known if event.topic.startswith("RecoveryRun")))
    if run is None or run.started_at is None:
        raise InvalidInput("these are not the events of a recovery run: its start is missing")
    if run.status != FINISHED:
        run.totals = totals_of(
            Counter((e.outcome.value, e.rule.value) for e in known if isinstance(e, RecoveryDecided))
        )
    jobs: dict[str, JobReplay] = {}
    for event in known:
        _add(jobs, event, run.started_at)
    decided = [(job.job_id, job.recorded, job.recomputed) for job in jobs.values() if job.recorded and job.recomputed]
    different = [Change(job_id=id_, run_id=run.id, was=was, would_be=now) for id_, was, now in decided if was != now]
    identical = len(decided) - len(different)
    return Replay(run=run, jobs=list(jobs.values()), decisions=len(decided), identical=identical, different=different)


def what_if(events: Iterable[Event], changed: dict[str, float]) -> list[Change]:
    """Return the jobs that a policy with these numbers would decide differently."""
    changes = []
    for event in events:
        if isinstance(event, RecoveryDecided):
            was = _shown(event)
            would_be = _decide_again(event, msgspec.structs.replace(event.policy, **changed))
            if (was.outcome, was.rule, was.basis) != (would_be.outcome, would_be.rule, would_be.basis):
                changes.append(Change(job_id=event.originator_id, run_id=event.run_id, was=was, would_be=would_be))
    return changes


def policy_changes(asked: dict[str, Any]) -> dict[str, float]:
    """Return the checked numbers of a what-if.

    Raises:
        InvalidInput: a name is unknown, or a value is not a number within its bounds.

    """
    try:
        known = msgspec.convert(asked, Policy, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"policy: {error}") from None
    unknown = sorted(set(asked) - set(Policy.__struct_fields__))
    if unknown:
        raise InvalidInput(f"policy: no number {unknown[0]!r}; there are: {', '.join(Policy.__struct_fields__)}")
    numbers = {name: getattr(known, name) for name in asked}
    for name, value in numbers.items():
        least, most = BOUNDS[name]
        if not least <= value <= (sys.float_info.max if most is None else most):
            raise InvalidInput(f"policy: {name} must be a number of {least} to {most or 'any finite one'}")
    return numbers


def compare(a: Replay, b: Replay) -> list[RuleChange]:
    """Return the jobs that two runs decided by different rules, or that only one of them decided."""
    rules = [{job.job_id: job.recorded.rule if job.recorded else None for job in run.jobs} for run in (a, b)]
    return [
        RuleChange(job_id=job_id, a=rules[0].get(job_id), b=rules[1].get(job_id))
        for job_id in sorted(rules[0].keys() | rules[1].keys())
        if rules[0].get(job_id) != rules[1].get(job_id)
    ]


def phases(done: Replay) -> Phases:
    """Return the duration of each phase of a run; None for one that has not ended for every job of the run."""
    asked = [job.probes[0].after for job in done.jobs if job.probes]
    first_round = max(asked, default=None) if len(asked) == done.run.jobs else None
    totals = done.run.totals
    return Phases(first_round=first_round, decided=totals.decided_in, proven=totals.verified_in)


def _add(jobs: dict[str, JobReplay], event: Event, start: datetime) -> None:
    """Add an event to the replay of its job."""
    match event:
        case RecoveryStarted():
            jobs[event.originator_id] = JobReplay(
                job_id=event.originator_id, state_before=event.from_state.value, cause=event.cause.value
            )
        case VMAStatusObserved() if event.originator_id in jobs:
            jobs[event.originator_id].probes.append(_probe(event, start))
        case RecoveryDecided() if event.originator_id in jobs:
            job = jobs[event.originator_id]
            job.decided_after = _seconds_since(start, event)
            job.recorded, job.recomputed = _shown(event), _decide_again(event, event.policy)
            job.identical = job.recorded == job.recomputed
            job.state_after, job.policy_hash = STATE_AFTER[event.outcome].value, event.policy_hash
        case _:
            pass


def _probe(event: VMAStatusObserved, start: datetime) -> Probe:
    seen = event.observation
    return Probe(
        after=_seconds_since(start, event),
        status=seen.status.value,
        took_ms=seen.took_ms,
        progress_percent=seen.progress_percent,
        answers=tuple(
            ProbeAnswer(
                asked_id=a.asked_id,
                status=a.status.value,
                http_status=a.http_status,
                latency_ms=a.latency_ms,
                detail=a.detail,
            )
            for a in seen.answers
        ),
    )


def _seconds_since(start: datetime, event: Event) -> float:
    return round((event.recorded_at - start).total_seconds(), 3)


def _shown(decided: RecoveryDecided | Decision) -> ReplayedDecision:
    return ReplayedDecision(
        outcome=decided.outcome.value,
        rule=decided.rule.value,
        basis=decided.basis.value if decided.basis else None,
        reason=decided.reason,
    )


def _decide_again(event: RecoveryDecided, policy: Policy) -> ReplayedDecision:
    decision = decide(event.evidence, policy)
    if decision is None:
        return ReplayedDecision(outcome=None, rule=None, basis=None, reason=UNDECIDED)
    return _shown(decision)
