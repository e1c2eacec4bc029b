"""Tables of the past: the audit trail, causation chains, changes and replays."""

import json

from rich.text import Text

from api.cli.grid import Grid
from api.cli.tables import Row, happened, moment, percent, state


def audit_table(entries: list[Row]) -> Grid:
    """Show events of all jobs, a row each."""
    table = Grid("position", "at (UTC)", "job or stream", "what", "actor")
    for entry in entries:
        stream = entry["job_id"] or entry["stream_id"]
        table.add_row(str(entry["position"]), moment(entry["recorded_at"]), stream, happened(entry), entry["actor"])
    return table


def chain_table(chain: Row) -> Grid:
    """Show an event and its causes, the origin last."""
    table = Grid("position", "at (UTC)", "stream", "what", title="causation chain, newest first")
    for entry in chain["items"]:
        stream = f"{entry['stream_id']} #{entry['version']}"
        table.add_row(str(entry["position"]), moment(entry["recorded_at"]), stream, happened(entry))
    table.add_row("origin", "", chain["origin"], "")
    return table


def changes_table(found: Row) -> Grid:
    """Show the fields of a job that changed between two versions."""
    title = f"{found['job_id']}: version {found['from_version']} to {found['to_version']}"
    table = Grid("field", "before", "after", title=title)
    for change in found["changes"]:
        before, after = _parts(change["field"], change["before"]), _parts(change["field"], change["after"])
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                table.add_row(name, _short(before.get(name)), _short(after.get(name)))
    return table


def between_table(found: Row) -> Grid:
    """Show the events that brought the change about."""
    table = Grid("#", "at (UTC)", "event", title="by these events")
    for event in found["events"]:
        table.add_row(str(event["version"]), moment(event["recorded_at"]), event["type"])
    return table


def hindsight_words(hindsight: Row) -> Text:
    """Show what is known now of a moment, and whether it was believed then."""
    certain = "" if hindsight["certain"] else " (not certain)"
    differs = "differs from" if hindsight["differs"] else "does not contradict"
    return Text(
        f"believed then: {hindsight['believed']}\nknown of it:   {hindsight['known']}{certain}, "
        f"because {hindsight['because']}; this {differs} what was believed"
    )


def replay_tables(shown: Row) -> list[Grid | Text]:
    """Show a run, replayed: each job's way, and the decisions that changed."""
    jobs = Grid("job", "was", "probes", "what", title=shown["run"]["run_id"])
    for job in shown["items"]:
        probes = Text("\n".join(map(_probe, job["probes"])) or "-")
        jobs.add_row(job["job_id"], state(job["state_before"]), probes, _decided(job))
    counted = (
        f"{shown['decisions']} decisions replayed: {shown['identical']} unchanged, {len(shown['different'])} changed"
    )
    parts: list[Grid | Text] = [jobs, Text(counted)]
    if shown["different"]:
        parts.append(changed_decisions_table(shown["different"], "the rules have changed since"))
    if shown["what_if"] is not None:
        parts.append(changed_decisions_table(shown["what_if"], "under the other policy; nothing was written"))
    return parts


def changed_decisions_table(changes: list[Row], title: str) -> Grid:
    """Show decisions that would change, from and to, with the reason."""
    counted = f"decisions that would change: {len(changes)} ({title})"
    table = Grid("job", "run", "was", "would be", "reason", title=counted)
    for change in changes:
        would_be = change["would_be"]
        table.add_row(change["job_id"], change["run_id"], _ruling(change["was"]), _ruling(would_be), would_be["reason"])
    return table


def phases_table(found: Row) -> Grid:
    """Show how long each phase of two runs took, and how many jobs each rule decided."""
    table = Grid("", found["a"]["run_id"], found["b"]["run_id"])
    for name, title in (("first_round", "all asked"), ("decided", "all decided"), ("proven", "all polled again")):
        table.add_row(title, *(_seconds(found[phases][name]) for phases in ("phases_a", "phases_b")))
    for rule in sorted(found["rules_a"].keys() | found["rules_b"].keys()):
        table.add_row(rule, *(str(found[rules].get(rule, 0)) for rules in ("rules_a", "rules_b")))
    return table


def rules_table(found: Row) -> Grid | Text:
    """Show the jobs that two runs decided by different rules."""
    if not found["jobs"]:
        return Text("both runs decided every job by the same rule")
    table = Grid("job", found["a"]["run_id"], found["b"]["run_id"], title="decided by different rules")
    for job in found["jobs"]:
        table.add_row(job["job_id"], job["a"] or "-", job["b"] or "-")
    return table


def _probe(probe: Row) -> str:
    codes = ", ".join(str(answer["http_status"] or answer["status"]) for answer in probe["answers"])
    reached = "" if probe["progress_percent"] is None else f" {percent(probe['progress_percent'])}"
    return f"{_seconds(probe['after'])} {probe['status']}{reached} ({codes}; {probe['took_ms']:.0f} ms)"


def _decided(job: Row) -> Text:
    if job["recorded"] is None:
        return Text("not decided in this run")
    replayed = "unchanged" if job["identical"] else f"now {_ruling(job['recomputed'])}"
    return Text.assemble(
        f"{_seconds(job['decided_after'])} {_ruling(job['recorded'])}: {job['recorded']['reason']}\n",
        ("then ", "dim"),
        state(job["state_after"]),
        (f"; {replayed}", "dim" if job["identical"] else "bold red"),
    )


def _ruling(ruling: Row) -> str:
    if ruling["outcome"] is None:
        return "asked again"
    basis = f", {ruling['basis']}" if ruling["basis"] else ""
    return f"{ruling['outcome']} by {ruling['rule']}{basis}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _parts(name: str, value: object) -> Row:
    """Return what a field consists of: each part of a structure under a name of its own."""
    return {f"{name}.{part}": inner for part, inner in value.items()} if isinstance(value, dict) else {name: value}


def _short(value: object) -> str:
    if value is None or value == []:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
