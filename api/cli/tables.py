"""What the command line shows: tables for a person."""

from collections.abc import Callable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapters.plain_text import visible

STATE_STYLES = {
    "replicating": "cyan",
    "recovering": "yellow",
    "pending-retry": "yellow",
    "completed": "green",
    "failed": "red",
}


FLOWING = {"what", "reason", "attention", "before", "after", "was", "would be", "vm", "phase"}
"""Columns of prose, which make room for the others: an id that is cut cannot be asked for."""


class Grid(Table):
    """A table whose words mean themselves: nothing in them is an order to the terminal, or to what draws the table."""

    def add_row(self, *cells: RenderableType | None, **how: Any) -> None:  # noqa: ANN401 - the library's signature
        """Add a row."""
        super().add_row(*map(harmless, cells), **how)


def harmless(shown: RenderableType | None) -> RenderableType | None:
    """Return a text with nothing in it that a terminal obeys. One that we put together may have lines."""
    if isinstance(shown, str):
        return Text(visible(shown))
    if isinstance(shown, Text) and not shown.plain.replace("\n", "").isprintable():
        return Text("\n".join(map(visible, shown.plain.split("\n"))), shown.style)
    return shown


def grid(*headers: str, title: str | None = None) -> Table:
    """Return an empty table with these columns."""
    heading = Text(visible(title), "table.title") if title else None
    table = Grid(box=SIMPLE_HEAD, title=heading, title_justify="left")
    for header in headers:
        table.add_column(Text(visible(header)), no_wrap=header not in FLOWING, overflow="fold")
    return table


def state(name: str) -> Text:
    """Show a state in its colour."""
    return Text(name, style=STATE_STYLES.get(name, ""))


def percent(value: float | None) -> str:
    """Show a progress."""
    return "-" if value is None else f"{value:.1f} %"


def time_of_day(moment: str | None) -> str:
    """Show a time without its date."""
    return moment[11:19] if moment else "-"


def jobs_table(jobs: list[dict[str, Any]]) -> Table:
    """Show jobs, a row each."""
    table = grid("job", "vm", "state", "progress", "phase", "VMA says", "last rule", "basis", "attention")
    for job in jobs:
        decision = job["decision"] or {}
        table.add_row(
            job["job_id"],
            job["vm_name"],
            state(job["state"]),
            percent(job["progress_percent"]),
            job["phase"] or "-",
            job["vma_status"] or "-",
            decision.get("rule", "-"),
            job["basis"] or decision.get("basis") or "-",
            "; ".join(reason.split(":")[0] for reason in job["attention"]) or "-",
        )
    return table


def job_table(job: dict[str, Any]) -> Table:
    """Show one job, a line for each thing known."""
    table = Grid(show_header=False, box=None)
    for name, value in job.items():
        if isinstance(value, dict):
            for inner, detail in value.items():
                table.add_row(f"{name}.{inner}", _plain(detail))
        elif name == "disks":
            for disk in value:
                said = f"{disk['status'] or 'not seen'} {percent(disk['progress_percent'])}"
                table.add_row(f"disk {disk['volume_id']}", said)
        else:
            table.add_row(name, state(value) if name == "state" else _plain(value))
    return table


def events_table(events: list[dict[str, Any]]) -> Table:
    """Show what happened to a job, a row for each event."""
    table = grid("#", "at (UTC)", "event", "what", "belongs to")
    for event in events:
        table.add_row(
            str(event["version"]),
            time_of_day(event["recorded_at"]),
            event["type"],
            describe(event["type"], event["data"]),
            event["correlation_id"],
        )
    return table


def decisions_table(decisions: list[dict[str, Any]], title: str) -> Table:
    """Show what a run decided, a row for each job."""
    table = grid("job", "was", "VMA says", "decision", "rule", "basis", "reason", title=title)
    for made in decisions:
        table.add_row(
            made["job_id"],
            state(made["state_before"]),
            made["vma_status"],
            made["outcome"],
            made["rule"],
            made["basis"] or "-",
            made["reason"],
        )
    return table


def describe(kind: str, data: dict[str, Any]) -> str:
    """Say in a few words what an event says."""
    return WORDS[kind](data) if kind in WORDS else str(data.get("reason", ""))


def _observed(data: dict[str, Any]) -> str:
    return f"{data['observation']['status']} {percent(data['observation']['progress_percent'])}"


def _decided(data: dict[str, Any]) -> str:
    basis = f", {data['basis']}" if data["basis"] else ""
    return f"{data['outcome']} by {data['rule']}{basis}: {data['reason']}"


def _run_finished(data: dict[str, Any]) -> str:
    counted = ", ".join(f"{count} {outcome}" for outcome, count in data["outcomes"].items())
    return f"all decided in {data['decided_in']:.1f} s: {counted or 'no open job'}"


WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "JobRegistered": lambda data: f"{data['vm_name']}, {len(data['volume_ids'])} disk(s), on VMA {data['vma']}",
    "JobAdmitted": lambda _: "is its VM's active job",
    "JobReleased": lambda _: "is no longer its VM's active job",
    "VMAStatusObserved": _observed,
    "RecoveryRunStarted": lambda data: f"cause: {data['cause']}, {len(data['job_ids'])} job(s), by {data['instance']}",
    "RecoveryRunFinished": _run_finished,
    "RecoveryStarted": lambda data: f"cause: {data['cause']}",
    "RecoveryDecided": _decided,
    "OperatorDecided": lambda data: f"{data['outcome']} by {data['who']}: {data['why']}",
    "JobStalled": lambda data: f"nothing has moved for {data['stalled_for']:.0f} s",
}
"""What the events say; those that are not here say it as their reason."""


def _plain(value: object) -> str:
    if value is None or value == []:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
