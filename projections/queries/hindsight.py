"""Hindsight: what was believed about a job at a time, compared with what is known now about that time.

Only conclusive reports of the VMA and decisions of operators are knowledge, each of one time. If the next report after
a time is `running`, the job was running at that time. If it is `completed` or `failed`, the job was either running or
already had that outcome: the time of the change is not known. Where a report before the time had an outcome already,
that counts, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.events import (
    Event,
    OperatorDecided,
    OutcomeConfirmed,
    OutcomeContradicted,
    OutcomeRevised,
    VMAStatusObserved,
)
from domain.lifecycle import JobState
from domain.transitions import STATE_AFTER

RUNNING, UNKNOWN = "running", "unknown"

CLAIMS = {
    JobState.REPLICATING: RUNNING,
    JobState.RECOVERING: UNKNOWN,
    JobState.PENDING_RETRY: UNKNOWN,
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}
"""The status that each state implies."""


@dataclass(frozen=True, kw_only=True)
class ConclusiveReport:
    """A conclusive report about a job: `said` is its status, `at` its time, `by` its source."""

    said: str
    at: datetime
    event: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Hindsight:
    """What was believed at a time, and what is known about it from the last report before it and the first after."""

    believed: str
    known: str = field(metadata={"description": "running, completed, failed, unknown, or two of them joined by `or`"})
    certain: bool
    differs: bool
    because: str
    before: ConclusiveReport | None
    after: ConclusiveReport | None


def known_at(believed: JobState, events: Iterable[Event], time: datetime) -> Hindsight:
    """Return what is known about a job at a time.

    Args:
        believed: the state that the job had in the log at that time.
        events: the job's events, also those after the time.
        time: the time in question.

    """
    reports = _conclusive_reports(events)
    before = next((report for report in reversed(reports) if report.at <= time), None)
    after = next((report for report in reports if report.at > time), None)
    known, certain, because = _between(before, after)
    claim = CLAIMS[believed]
    return Hindsight(
        believed=believed.value,
        known=known,
        certain=certain,
        differs=known not in {claim, UNKNOWN} and claim not in known.split(" or "),
        because=because,
        before=before,
        after=after,
    )


def _between(before: ConclusiveReport | None, after: ConclusiveReport | None) -> tuple[str, bool, str]:
    """Return what is known, whether it is certain, and why."""
    match before, after:
        case _, ConclusiveReport(said="running"):
            return RUNNING, True, f"the {after.by} reported running later ({after.event})"
        case ConclusiveReport(said="completed" | "failed"), None:
            return before.said, True, f"the {before.by} had reported {before.said} ({before.event})"
        case ConclusiveReport(said="completed" | "failed"), ConclusiveReport():
            return _between_ends(before, after)
        case ConclusiveReport(said="running"), None:
            return RUNNING, False, f"running at the last report ({before.event}); nothing conclusive since"
        case _, ConclusiveReport():
            known = f"{RUNNING} or {after.said}"
            return known, False, f"the {after.by} reported {after.said} later ({after.event}); its time is not known"
        case _:
            return UNKNOWN, False, "there is no conclusive report"


def _between_ends(before: ConclusiveReport, after: ConclusiveReport) -> tuple[str, bool, str]:
    because = f"the {before.by} had reported {before.said} ({before.event})"
    if before.said == after.said:
        return before.said, True, because
    return f"{before.said} or {after.said}", False, f"{because}, and the {after.by} {after.said} later ({after.event})"


def _conclusive_reports(events: Iterable[Event]) -> Sequence[ConclusiveReport]:
    reports = []
    for event in events:
        match event:
            case VMAStatusObserved() | OutcomeConfirmed() | OutcomeContradicted() | OutcomeRevised():
                seen = event.observation
                if seen.conclusive:
                    reports.append(_report(event, seen.status.value, seen.observed_at, seen.source))
            case OperatorDecided():
                outcome = STATE_AFTER[event.outcome].value
                reports.append(_report(event, outcome, event.recorded_at, f"operator {event.who}"))
            case _:
                pass
    return sorted(reports, key=lambda report: report.at)


def _report(event: Event, said: str, at: datetime, by: str) -> ConclusiveReport:
    return ConclusiveReport(said=said, at=at, event=event.ref, by=by)
