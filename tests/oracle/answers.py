"""What the service must answer, by the past that the log tells."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from tests.oracle import job as jobs
from tests.oracle.log import Event, period
from tests.oracle.past import Past, View, at

RUNNING, UNKNOWN = "running", "unknown"
BELIEVED = {"replicating": RUNNING, "completed": "completed", "failed": "failed"}
STATUS = {"complete": "completed", "fail": "failed"}
REPORTS = {"VMAStatusObserved", "OutcomeConfirmed", "OutcomeContradicted", "OutcomeRevised"}
WATCHERS = {"replicating": "poller", "pending-retry": "retry scheduler", "recovering": "recovery run"}
STATES = ("replicating", "recovering", "pending-retry", "completed", "failed")
MOST_CAUSES = 100
SERVICE = "job-recovery"

Wanted = dict[str, set[Any]]


def page(found: Iterable[View], limit: int) -> View:
    """Return a page of a list; of its cursor, only whether there is one."""
    first = list(islice(found, limit + 1))
    return {"items": first[:limit], "next_cursor": len(first) > limit}


def job_page(past: Past, position: int, wanted: Wanted, after: str, limit: int, *, is_past: bool) -> View:
    """Return a page of the jobs at a position. A page of the past is filtered by `needs_attention` after it was cut."""
    late = {"needs_attention"} & wanted.keys() if is_past else set()
    first = {name: values for name, values in wanted.items() if name not in late}
    found = page(_jobs(past, position, first, after), limit)
    kept = [job for job in found["items"] if _has(job, wanted)]
    return found | {"items": kept, "_last": found["items"][-1]["job_id"] if found["items"] else after}


def _jobs(past: Past, position: int, wanted: Wanted, after: str) -> Iterable[View]:
    for job_id in sorted(past.jobs):
        job = at(past.jobs[job_id], position) if job_id > after else None
        if job is not None and _has(shown := jobs.view(job), wanted):
            yield shown


def context_list(past: Past, head: int, active: bool | None, after: str = "") -> Iterable[View]:  # noqa: FBT001 - as asked
    """Return the VM contexts in the order of their ids, with or without an active job, or all."""
    for context_id in sorted(past.contexts):
        context = at(past.contexts[context_id], head) if context_id > after else None
        if context is not None and active in {None, context["active_job"] is not None}:
            yield context_view(context)


def context_view(context: View) -> View:
    """Return a VM context as the API shows it."""
    return {name: value for name, value in context.items() if not name.startswith("_")}


def run_list(past: Past, head: int, before: int | None = None) -> Iterable[View]:
    """Return the recovery runs, newest first."""
    began = {history[0][0]: history for history in past.runs.values()}
    for position in sorted((p for p in began if p <= head and p < (before or head + 1)), reverse=True):
        run = at(began[position], head)
        assert run is not None
        yield run


def is_reversed(within: tuple[str | None, str | None]) -> bool:
    """Return whether a period ends before it begins, by its printed times."""
    since, until = within
    return since is not None and until is not None and period(since)[0] > period(until)[1]


def trail(
    past: Past, head: int, wanted: Wanted, within: tuple[str | None, str | None], *, newest: bool, after: int | None
) -> Iterable[View]:
    """Return the events of a filter, by position; `within` is by the printed times, both ends inclusive."""
    since = period(within[0])[0] if within[0] else None
    until = period(within[1])[1] if within[1] else None
    positions = past.positions(wanted)
    for position in reversed(positions) if newest else positions:
        is_read = after is not None and (position >= after if newest else position <= after)
        if is_read or position > head:
            continue
        time = past.events[position - 1].at
        if (since is None or time >= since) and (until is None or time <= until):
            entry = past.entries[position - 1]
            if _has(entry, wanted):
                yield entry


def chain(past: Past, position: int) -> View:
    """Return an event and its causes, back to a process, a request or an operator."""
    found = [position]
    while len(found) < MOST_CAUSES:
        cause = past.position_of(past.events[found[-1] - 1].causation)
        if cause is None:
            break
        found.append(cause)
    first = past.events[found[-1] - 1]
    origin = first.causation if first.actor == SERVICE else first.actor
    return {"items": [past.entries[p - 1] for p in found], "origin": origin}


def diff(past: Past, job_id: str, begin: View, end: View) -> View:
    """Return the fields of a job that differ between two of its versions, and the events between them."""
    before, after = _compared(begin), _compared(end)
    low, high = sorted((begin["version"], end["version"]))
    return {
        "job_id": job_id,
        "from_version": begin["version"],
        "to_version": end["version"],
        "changes": {n: [before[n], after[n]] for n in before if before[n] != after[n]},
        "events": [past.entries[p - 1] for p, job in past.jobs[job_id] if low < job["version"] <= high],
    }


def hindsight(believed: str, events: Iterable[Event], time: int) -> View:
    """Return what is known of a job at a time: by the last conclusive statement before it, and the first after it."""
    reports = sorted((report for event in events if (report := _report(event))), key=lambda report: report["_at"])
    before = next((r for r in reversed(reports) if r["_at"] <= time), None)
    after = next((r for r in reports if r["_at"] > time), None)
    known, certain = _between(before, after)
    claim = BELIEVED.get(believed, UNKNOWN)
    return {
        "believed": believed,
        "known": known,
        "certain": certain,
        "differs": known != UNKNOWN and claim not in known.split(" or "),
        "before": before and _without_own(before),
        "after": after and _without_own(after),
    }


def status(past: Past, head: int) -> View:
    """Return the totals of all recovery runs and jobs."""
    decided = [e.data for e in past.events[:head] if e.type == "RecoveryDecided"]
    states = Counter(job["state"] for history in past.jobs.values() if (job := at(history, head)))
    return {
        "runs_by_status": dict(Counter(run["status"] for run in run_list(past, head))),
        "decisions": len(decided),
        "decisions_by_rule": dict(Counter(data["rule"] for data in decided)),
        "decisions_by_outcome": dict(Counter(data["outcome"] for data in decided)),
        "jobs_by_state": {state: states[state] for state in STATES},
    }


def watcher(job: View) -> str | None:
    """Return the process that is responsible for a job in its state."""
    return WATCHERS.get(job["state"], "reconciliation" if jobs.is_guess(job) else None)


def decisions(past: Past, run_id: str, head: int, after: int = 0) -> Iterable[View]:
    """Return the decisions of a run."""
    names = ("outcome", "rule", "basis", "reason")
    for event in past.events[after:head]:
        if event.type == "RecoveryDecided" and event.data["run_id"] == run_id:
            evidence = event.data["evidence"]
            before = {"state_before": evidence["state_before"], "vma_status": evidence["observation"]["status"]}
            yield {"job_id": event.stream, **before, **{name: event.data[name] for name in names}}


def events_of_run(past: Past, run_id: str, head: int) -> Sequence[Event]:
    """Return the events of a run and of its jobs in it."""
    return [past.events[p - 1] for p in past.positions({"run_id": {run_id}}) if p <= head]


def replayed(events: Sequence[Event]) -> list[View]:
    """Return what a run asked and decided of each job, in the order in which it began with them."""
    found: dict[str, View] = {}
    for event in events:
        data = event.data
        match event.type:
            case "RecoveryStarted":
                found[event.stream] = {"state_before": data["from_state"], "cause": data["cause"], "statuses": []}
            case "VMAStatusObserved":
                found[event.stream]["statuses"].append(data["observation"]["status"])
            case "RecoveryDecided":
                recorded = {name: data[name] for name in ("outcome", "rule", "basis", "reason")}
                found[event.stream] |= {"recorded": recorded, "recomputed": recorded}
    return [{"job_id": job_id, "recorded": None, "recomputed": None} | job for job_id, job in found.items()]


def rules_by_job(events: Sequence[Event]) -> dict[str, str | None]:
    """Return the rule by which a run decided each of its jobs; None for one that it has not decided."""
    return {job["job_id"]: job["recorded"] and job["recorded"]["rule"] for job in replayed(events)}


def counted(rules: dict[str, str | None]) -> dict[str, int]:
    """Return how many jobs each rule decided."""
    return dict(Counter(rule for rule in rules.values() if rule))


def _compared(job: View) -> View:
    """Return what a difference compares: `attention` tells whether there is some, and positions are of the log."""
    shown = jobs.view(job)
    ended = shown["ended"] and {name: value for name, value in shown["ended"].items() if name != "position"}
    return {n: v for n, v in shown.items() if n not in {"version", "needs_attention"}} | {"ended": ended}


def _has(item: View, wanted: Wanted) -> bool:
    return all(item[name] in values for name, values in wanted.items())


def _report(event: Event) -> View | None:
    """Return what a conclusive statement says; None for any other event."""
    if event.type == "OperatorDecided":
        by = f"operator {event.data['who']}"
        said = {"said": STATUS[event.data["outcome"]], "at": event.recorded_at, "by": by, "_at": event.at}
        return said | {"event": event.ref}
    if event.type not in REPORTS or not jobs.is_conclusive(event.data["observation"]):
        return None
    seen = event.data["observation"]
    said = {"said": seen["status"], "at": seen["observed_at"], "by": seen["said_by"]}
    return said | {"event": event.ref, "_at": period(seen["observed_at"])[0]}


def _between(before: View | None, after: View | None) -> tuple[str, bool]:
    """Return what is known between two statements, and whether it is certain."""
    if after is not None and after["said"] == RUNNING:
        return RUNNING, True
    if after is not None:
        first = before["said"] if before else RUNNING
        return (first, True) if first == after["said"] else (f"{first} or {after['said']}", False)
    if before is not None:
        return before["said"], before["said"] != RUNNING
    return UNKNOWN, False


def _without_own(report: View) -> View:
    return {name: value for name, value in report.items() if name != "_at"}
