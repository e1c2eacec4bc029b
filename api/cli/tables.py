"""Tables of jobs, events and runs."""

import json
from collections.abc import Callable
from typing import Any

from rich.text import Text

from api.cli.grid import Grid

Row = dict[str, Any]

STYLES = {
    "replicating": "cyan",
    "recovering": "yellow",
    "pending-retry": "yellow",
    "completed": "green",
    "failed": "red",
}


def state(name: str, more: str = "") -> Text:
    """Return a state in its colour."""
    return Text(f"{name} {more}".rstrip(), style=STYLES.get(name, ""))


def percent(value: float | None) -> str:
    """Return a progress as text."""
    return "-" if value is None else f"{value:.1f} %"


def timestamp(time: str | None) -> str:
    """Return a time to the second."""
    return time[:19].replace("T", " ") if time else "-"


def ruling(made: Row) -> str:
    """Return a decision's outcome with its rule and basis. Without an outcome, the VMA was asked again."""
    return f"{made['outcome']} by {joined(made['rule'], made['basis'])}" if made["outcome"] else "asked again"


def joined(*parts: str | None) -> str:
    """Return the parts that exist, separated by commas."""
    return ", ".join(part for part in parts if part) or "-"


def jobs_table(jobs: list[Row]) -> Grid:
    """Show jobs, a row each."""
    return Grid("job", "state", "VMA status", "last decision", "vm", "attention", rows=map(_job, jobs))


def _job(job: Row) -> tuple[object, ...]:
    ended = job["ended"]
    decided = ended or job["decision"] or {}
    by = "operator" if ended and ended["who"] else decided.get("rule")
    reached = state(job["state"], percent(job["progress_percent"]))
    attention = "; ".join(reason.split(":")[0] for reason in job["attention"]) or None
    return job["job_id"], reached, job["vma_status"], joined(by, decided.get("basis")), job["vm_name"], attention


def job_table(job: Row) -> Grid:
    """Show one job, a row for each field that has a value."""
    shown = job | {"job_id": job["job_id"], "as_of": None, "as_known": None, "hindsight": None}
    return Grid("field", "value", rows=fields(shown).items())


def fields(document: Row, prefix: str = "") -> dict[str, Text]:
    """Return the fields of a document that have a value, as text: those of a part as `part.field`."""
    shown: dict[str, Text] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            shown |= fields(value, f"{prefix}{name}.")
        elif value not in (None, []):
            shown[prefix + name] = state(value) if name == "state" else _text(name, value)
    return shown


def events_table(events: list[Row]) -> Grid:
    """Show what happened to a job, a row for each event."""
    rows = ((e["position"], timestamp(e["recorded_at"]), happened(e), e["correlation_id"]) for e in events)
    return Grid("position", "at (UTC)", "what", "run or request", rows=rows)


def contexts_table(contexts: list[Row]) -> Grid:
    """Show VM contexts, a row each."""
    rows = ((c["vm_context_id"], c["vm_name"], c["active_job"], c["last_job"], c["jobs"]) for c in contexts)
    return Grid("VM context", "vm", "active job", "last job", "jobs", rows=rows)


def runs_table(runs: list[Row]) -> Grid:
    """Show recovery runs, a row each."""
    rows = (
        (
            run["run_id"],
            timestamp(run["started_at"]),
            run["cause"],
            run["status"],
            run["jobs"],
            _counted(run["outcomes"]),
        )
        for run in runs
    )
    return Grid("run", "started at (UTC)", "cause", "status", "jobs", "outcomes", rows=rows)


def instances_table(found: Row) -> Grid:
    """Show the instances, a row each, and a row for each VMA that none of them watches."""
    rows = [
        (
            one["id"],
            one["address"],
            one["version"],
            timestamp(one["started_at"]),
            "?" if one["lag_events"] is None else str(one["lag_events"]),
            ", ".join(one["vmas"]) or "-",
        )
        for one in found["items"]
    ]
    rows += [("nobody", one["held_by"] or "-", "", "", "", one["vma"]) for one in found["unwatched"]]
    return Grid("instance", "address", "version", "started at (UTC)", "events behind", "watches the VMAs", rows=rows)


def decisions_table(decisions: list[Row], title: str) -> Grid:
    """Show what a run decided, a row for each job."""
    rows = ((d["job_id"], state(d["state_before"]), d["vma_status"], ruling(d), d["reason"]) for d in decisions)
    return Grid("job", "was", "VMA status", "decision", "reason", rows=rows, title=title)


def happened(event: Row) -> Text:
    """Return an event's type and its summary."""
    kind, data = event["type"], event["data"]
    summary = SUMMARIES[kind](data) if kind in SUMMARIES else data.get("reason")
    return Text.assemble((kind, "bold"), f": {summary}" if summary else "")


def _observed(data: Row) -> str:
    seen = data["observation"]
    progress = seen["progress_percent"]
    return seen["status"] if progress is None else f"{seen['status']} {percent(progress)}"


SUMMARIES: dict[str, Callable[[Row], str]] = {
    "JobRegistered": lambda data: f"{data['vm_name']}, {len(data['volume_ids'])} disk(s), on VMA {data['vma']}",
    "JobAdmitted": lambda _: "is its VM's active job",
    "JobReleased": lambda _: "is no longer its VM's active job",
    "VMAStatusObserved": _observed,
    "RecoveryRunStarted": lambda data: f"cause: {data['cause']}, {len(data['job_ids'])} job(s), by {data['instance']}",
    "RecoveryRunFinished": lambda data: f"all decided in {data['decided_in']:.1f} s: {_counted(data['outcomes'])}",
    "RecoveryStarted": lambda data: f"cause: {data['cause']}",
    "RecoveryDecided": lambda data: f"{ruling(data)}: {data['reason']}",
    "OperatorDecided": lambda data: f"{data['outcome']} by {data['who']}: {data['why']}",
    "JobStalled": lambda data: f"no progress for {data['stalled_for']:.0f} s",
}
"""The summaries of the events; other events show their reason."""


def _counted(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "no job"


def _text(name: str, value: object) -> Text:
    """Return a value as text; ids in it are never folded."""
    if isinstance(value, list):
        return Text("\n".join(map(_item, value)), no_wrap=name.endswith(("_ids", "disks")))
    if isinstance(value, float):
        return Text(str(round(value, 3)))
    return Text(value if isinstance(value, str) else json.dumps(value), no_wrap=name.endswith("_id"))


def _item(item: Row | str) -> str:
    if isinstance(item, str):
        return item
    return f"{item['volume_id']}\n  {item['status'] or 'not seen'} {percent(item['progress_percent'])}"
