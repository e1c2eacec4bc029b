"""Every state that jobs, VM contexts and recovery runs ever had, by position in the log."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from tests.oracle import job
from tests.oracle.log import Event

View = dict[str, Any]
History = list[tuple[int, View]]
"""The versions of one thing, each with the position from which on it was so."""

TOTALS = (
    "outcomes",
    "rules",
    "resumed",
    "polled_again",
    "left_replicating",
    "settled_elsewhere",
    "decided_in",
)
NOT_YET = dict.fromkeys(
    ("ended_at", "polled_again", "left_replicating", "settled_elsewhere", "decided_in", "verified_in")
)
CONTEXT = "vm-context:"


class Past:
    """The fold of the log, which grows with it. A position is a moment: the state there is the fold up to it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.jobs: dict[str, History] = defaultdict(list)
        self.contexts: dict[str, History] = defaultdict(list)
        self.runs: dict[str, History] = defaultdict(list)
        self.entries: list[View] = []
        self.seals: dict[int, str] = {}
        self.late: list[int] = []
        """Positions of events that were recorded before an earlier one: writers stamp first, and store in turn."""
        self._latest = 0
        self._by: dict[tuple[str, Any], list[int]] = defaultdict(list)
        self._positions: dict[str, int] = {}

    @property
    def head(self) -> int:
        """Return the position of the last event."""
        return len(self.events)

    def add(self, events: Iterable[Event]) -> None:
        """Fold more events, in the order of the log."""
        for event in events:
            assert event.position == self.head + 1, f"the log has a gap before position {event.position}"
            self.events.append(event)
            if event.at < self._latest:
                self.late.append(event.position)
            self._latest = max(self._latest, event.at)
            self._positions[event.ref] = event.position
            self._fold(event)
            entry = entry_of(event, self.jobs.get(event.stream))
            self.entries.append(entry)
            for name in INDEXED:
                self._by[name, entry[name]].append(event.position)

    def position_at(self, time: int, head: int) -> int:
        """Return the position of the last event that was recorded until a time; 0 if there is none."""
        return next((event.position for event in reversed(self.events[:head]) if event.at <= time), 0)

    def position_of(self, ref: str) -> int | None:
        """Return the position of an event by its name."""
        return self._positions.get(ref)

    def positions(self, wanted: dict[str, set[Any]]) -> Sequence[int]:
        """Return the positions that events with these values can have, in order; the smallest index decides."""
        names = INDEXED & wanted.keys()
        found = [[position for value in wanted[name] for position in self._by.get((name, value), [])] for name in names]
        if not found:
            return range(1, self.head + 1)
        shortest = min(found, key=len)
        return sorted(shortest)

    def _fold(self, event: Event) -> None:
        match event.type:
            case "JobAdmitted" | "JobReleased":
                self._append(self.contexts[event.stream.removeprefix(CONTEXT)], event, context_after)
            case "RecoveryRunStarted" | "RecoveryRunFinished" | "RecoveryRunInterrupted":
                self._append(self.runs[event.stream], event, run_after)
            case _:
                self._append(self.jobs[event.stream], event, job.after)
                if event.type == "RecoveryDecided":
                    self._append(self.runs[event.data["run_id"]], event, run_after)

    @staticmethod
    def _append(history: History, event: Event, fold: Any) -> None:
        history.append((event.position, fold(history[-1][1] if history else None, event)))


INDEXED = {"job_id", "vm_context_id", "run_id", "type", "rule", "correlation_id", "causation_id", "stream_id"}


def at(history: History, position: int) -> View | None:
    """Return what something was at a position; None before its first event."""
    found = bisect_right(history, position, key=itemgetter(0))
    return history[found - 1][1] if found else None


def context_after(context: View | None, event: Event) -> View:
    """Return a VM context after an event. A job that is admitted again is one job."""
    new = dict(context or {"vm_context_id": event.stream.removeprefix(CONTEXT), "_jobs": frozenset()})
    if event.type == "JobReleased":
        return new | {"active_job": None}
    admitted = event.data["job_id"]
    jobs = new["_jobs"] | {admitted}
    new |= {"active_job": admitted, "last_job": admitted, "vm_name": event.data["vm_name"]}
    return new | {"_jobs": jobs, "jobs": len(jobs)}


def run_after(run: View | None, event: Event) -> View:
    """Return a recovery run after an event of its own, or a decision of it."""
    data = event.data
    match event.type:
        case "RecoveryRunStarted":
            told = {name: data[name] for name in ("cause", "instance", "policy", "policy_hash")}
            begun = {"run_id": event.stream, "status": "running", "jobs": len(data["job_ids"]), "dry_run": False}
            counted = {"outcomes": {}, "rules": {}, "resumed": 0, "settled": 0}
            return told | begun | counted | NOT_YET | {"started_at": event.recorded_at}
        case "RecoveryRunFinished":
            totals = {name: data[name] for name in TOTALS} | {"verified_in": data["proven_in"]}
            settled = sum(data["outcomes"].values()) + data["settled_elsewhere"]
            return (run or {}) | totals | {"status": "finished", "ended_at": event.recorded_at, "settled": settled}
        case "RecoveryRunInterrupted":
            return (run or {}) | {"status": "interrupted", "ended_at": event.recorded_at}
        case _:
            assert run is not None, f"{event.ref} is a decision of a run that has not begun"
            outcomes, rules = (
                run[names] | {data[name]: run[names].get(data[name], 0) + 1}
                for names, name in (("outcomes", "outcome"), ("rules", "rule"))
            )
            counts = {"outcomes": outcomes, "rules": rules, "resumed": outcomes.get("resume", 0)}
            return run | counts | {"settled": run["settled"] + 1}


def entry_of(event: Event, history: History | None) -> View:
    """Return an event as the audit trail shows it."""
    of_context, of_run = event.type in {"JobAdmitted", "JobReleased"}, event.type.startswith("RecoveryRun")
    after = history[-1][1] if history else None
    subject = event.stream if after is not None else event.data["job_id"] if of_context else None
    context = after["vm_context_id"] if after is not None else event.stream.removeprefix(CONTEXT)
    return {
        "position": event.position,
        "type": event.type,
        "recorded_at": event.recorded_at,
        "stream_id": event.stream,
        "version": event.version,
        "job_id": subject,
        "vm_context_id": None if of_run else context,
        "run_id": event.stream if of_run else event.data.get("run_id"),
        **shown_as(event, after),
        "actor": event.actor,
        "state": after["state"] if after is not None else None,
        "correlation_id": event.correlation,
        "causation_id": event.causation,
        "data": event.data,
    }


def shown_as(event: Event, after: View | None) -> View:
    """Return the decision that an event is; for a verdict on an outcome, the basis and the outcome that it leaves."""
    shown: View = dict.fromkeys(("rule", "basis", "outcome"))
    if after is None:
        return shown
    if event.type in {"RecoveryDecided", "OutcomeRevised", "OperatorDecided"}:
        return {name: after["decision"][name] for name in shown}
    if event.type in {"OutcomeConfirmed", "OutcomeContradicted"}:
        return shown | {"basis": after["basis"], "outcome": job.OUTCOME[after["state"]]}
    return shown
