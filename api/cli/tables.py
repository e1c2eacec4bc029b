"""Tables of jobs, events and runs, as they are."""

from collections.abc import Callable
from typing import Any

from rich.text import Text

from api.cli.grid import Grid

Row = dict[str, Any]

STATE_STYLES = {
    "replicating": "cyan",
    "recovering": "yellow",
    "pending-retry": "yellow",
    "completed": "green",
    "failed": "red",
}


def state(name: str, more: str = "") -> Text:
    """Show a state in its colour."""
    return Text(f"{name} {more}".rstrip(), style=STATE_STYLES.get(name, ""))


def percent(value: float | None) -> str:
    """Show a progress."""
    return "-" if value is None else f"{value:.1f} %"


def moment(time: str | None) -> str:
    """Show a time to the second."""
    return time[:19].replace("T", " ") if time else "-"


def jobs_table(jobs: list[Row]) -> Grid:
    """Show jobs, a row each."""
    table = Grid("job", "state", "VMA says", "last decision", "vm", "attention")
    for job in jobs:
        decision = job["decision"] or {}
        table.add_row(
            job["job_id"],
            state(job["state"], percent(job["progress_percent"])),
            job["vma_status"] or "-",
            _joined(decision.get("rule"), job["basis"] or decision.get("basis")),
            job["vm_name"],
            "; ".join(reason.split(":")[0] for reason in job["attention"]) or "-",
        )
    return table


def job_table(job: Row) -> Grid:
    """Show one job, a line for each field."""
    table = Grid("field", "value")
    for name, value in job.items():
        if name == "disks":
            for disk in value:
                reached = f"{disk['status'] or 'not seen'} {percent(disk['progress_percent'])}"
                table.add_row("disk", Text(f"{disk['volume_id']}\n{reached}", no_wrap=True))
        elif isinstance(value, dict):
            for inner, detail in value.items():
                table.add_row(f"{name}.{inner}", _plain(inner, detail))
        else:
            table.add_row(name, state(value) if name == "state" else _plain(name, value))
    return table


def events_table(events: list[Row]) -> Grid:
    """Show what happened to a job, a row for each event."""
    table = Grid("#", "at (UTC)", "what", "run or request")
    for event in events:
        table.add_row(str(event["version"]), moment(event["recorded_at"]), happened(event), event["correlation_id"])
    return table


def runs_table(runs: list[Row]) -> Grid:
    """Show recovery runs, a row each."""
    table = Grid("run", "started at (UTC)", "cause", "status", "jobs", "outcomes")
    for run in runs:
        counted = _counted(run["outcomes"]) or "-"
        started = moment(run["started_at"])
        table.add_row(run["run_id"], started, run["cause"] or "-", run["status"], str(run["jobs"]), counted)
    return table


def decisions_table(decisions: list[Row], title: str) -> Grid:
    """Show what a run decided, a row for each job."""
    table = Grid("job", "was", "VMA says", "decision", "reason", title=title)
    for made in decisions:
        decided = f"{made['outcome']} by {_joined(made['rule'], made['basis'])}"
        table.add_row(made["job_id"], state(made["state_before"]), made["vma_status"], decided, made["reason"])
    return table


def happened(event: Row) -> Text:
    """Show an event: its type, and what is particular to it in a few words."""
    words = describe(event["type"], event["data"])
    return Text.assemble((event["type"], "bold"), f": {words}" if words else "")


def describe(kind: str, data: Row) -> str:
    """Return the content of an event in a few words."""
    return WORDS[kind](data) if kind in WORDS else str(data.get("reason", ""))


def _observed(data: Row) -> str:
    seen = data["observation"]
    return (
        seen["status"] if seen["progress_percent"] is None else f"{seen['status']} {percent(seen['progress_percent'])}"
    )


def _decided(data: Row) -> str:
    return f"{data['outcome']} by {_joined(data['rule'], data['basis'])}: {data['reason']}"


def _run_finished(data: Row) -> str:
    return f"all decided in {data['decided_in']:.1f} s: {_counted(data['outcomes']) or 'no open job'}"


WORDS: dict[str, Callable[[Row], str]] = {
    "JobRegistered": lambda data: f"{data['vm_name']}, {len(data['volume_ids'])} disk(s), on VMA {data['vma']}",
    "JobAdmitted": lambda _: "is its VM's active job",
    "JobReleased": lambda _: "is no longer its VM's active job",
    "VMAStatusObserved": _observed,
    "RecoveryRunStarted": lambda data: f"cause: {data['cause']}, {len(data['job_ids'])} job(s), by {data['instance']}",
    "RecoveryRunFinished": _run_finished,
    "RecoveryStarted": lambda data: f"cause: {data['cause']}",
    "RecoveryDecided": _decided,
    "OperatorDecided": lambda data: f"{data['outcome']} by {data['who']}: {data['why']}",
    "JobStalled": lambda data: f"no progress for {data['stalled_for']:.0f} s",
}
"""The content of the events; those that are not here show their reason."""


def _counted(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part) or "-"


def _plain(name: str, value: object) -> str | Text:
    if value is None or value == []:
        return "-"
    shown = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return Text(shown, no_wrap=name.endswith(("_id", "_ids")))
