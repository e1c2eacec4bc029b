"""Two times: what was believed at a moment, and what is known now to have been so.

The VMA's own words are the only knowledge there is, and each of them is of one moment. Between two of them a job was
running if the later one says running; if the later one says completed or failed, it was either still running or there
already, and nobody knows when it changed. This says no more than that.
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
"""What each state claims about the job itself."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One conclusive word about a job: what was said, of which moment, and by which event."""

    said: str
    at: datetime
    event: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Hindsight:
    """What was believed at the moment, and what is known to have been so. Uncertain where the words leave it open."""

    believed: str
    known: str = field(metadata={"description": "running, completed, failed, unknown, or two of them joined by `or`"})
    certain: bool
    differs: bool
    because: str
    before: Word | None
    after: Word | None


def look_back(believed: JobState, events: Iterable[Event], moment: datetime) -> Hindsight:
    """Say what was so at a moment, by all events known.

    Args:
        believed: the state that the job had in the log at that moment.
        events: all of the job's events that are to be known, also those after the moment.
        moment: the time that is asked about.

    """
    words = _words(events)
    before = next((word for word in reversed(words) if word.at <= moment), None)
    after = next((word for word in words if word.at > moment), None)
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


def _between(before: Word | None, after: Word | None) -> tuple[str, bool, str]:
    match before, after:
        case _, Word(said="running"):
            return RUNNING, True, f"the {after.by} said running later ({after.event})"
        case Word(said="completed" | "failed"), None:
            return before.said, True, f"the {before.by} had said {before.said} ({before.event})"
        case Word(said="running"), None:
            return RUNNING, False, f"running when last heard of ({before.event}); nothing conclusive since"
        case _, Word():
            words = f"{RUNNING} or {after.said}"
            return words, False, f"the {after.by} said {after.said} later ({after.event}); nobody knows since when"
        case _:
            return UNKNOWN, False, "nothing conclusive has been heard of it"


def _words(events: Iterable[Event]) -> Sequence[Word]:
    words = []
    for event in events:
        match event:
            case VMAStatusObserved() | OutcomeConfirmed() | OutcomeContradicted() | OutcomeRevised():
                seen = event.observation
                if seen.conclusive:
                    words.append(Word(said=seen.status.value, at=seen.observed_at, event=event.ref, by=seen.source))
            case OperatorDecided():
                said = STATE_AFTER[event.outcome].value
                words.append(Word(said=said, at=event.recorded_at, event=event.ref, by=f"operator {event.who}"))
            case _:
                pass
    return sorted(words, key=lambda word: word.at)
