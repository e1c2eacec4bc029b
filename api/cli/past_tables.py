"""Tables of the past: the audit trail, causation chains, changes and replays."""

from rich.text import Text

from api.cli.grid import Grid
from api.cli.tables import Row, fields, happened, percent, ruling, state, timestamp


def audit_table(entries: list[Row]) -> Grid:
    """Show events of all jobs, a row each."""
    rows = (
        (e["position"], timestamp(e["recorded_at"]), e["job_id"] or e["stream_id"], happened(e), e["actor"])
        for e in entries
    )
    return Grid("position", "at (UTC)", "job or stream", "what", "actor", rows=rows)


def chain_table(chain: Row) -> Grid:
    """Show an event and its causes, the origin last."""
    rows = [
        (e["position"], timestamp(e["recorded_at"]), f"{e['stream_id']} #{e['version']}", happened(e))
        for e in chain["items"]
    ]
    origin = ("origin", "", chain["origin"], "")
    return Grid("position", "at (UTC)", "stream", "what", rows=[*rows, origin], title="causation chain, newest first")


def changes_table(found: Row) -> Grid:
    """Show the fields of a job that changed between two versions."""
    begin, end = (f"{found[f'{at}_version']} (position {found[f'{at}_as_of']['position']})" for at in ("from", "to"))
    title = f"{found['job_id']}: version {begin} to {end}"
    before, after = (fields({c["field"]: c[when] for c in found["changes"]}) for when in ("before", "after"))
    rows = ((n, before.get(n), after.get(n)) for n in after | before if before.get(n) != after.get(n))
    return Grid("field", "before", "after", rows=rows, title=title)


def between_table(found: Row) -> Grid:
    """Show the events that caused the changes."""
    rows = ((event["version"], timestamp(event["recorded_at"]), event["type"]) for event in found["events"])
    return Grid("#", "at (UTC)", "event", rows=rows, title="by these events")


def as_of_text(then: Row | None) -> list[Text]:
    """Return which moment an answer is of, in one text; none for the present."""
    return _moment(then, "as of", "the answer is of now")


def as_known_text(known: Row | None) -> list[Text]:
    """Return up to which moment an answer knows, in one text; none if that was not asked for."""
    return _moment(known, "known up to", "the answer knows what is known now")


def _moment(moment: Row | None, preposition: str, of_now: str) -> list[Text]:
    if moment is None:
        return []
    if moment["is_future"]:
        return [Text(f"this moment is still to come: {of_now}, position {moment['position']}")]
    time = f", {moment['time']}" if moment["time"] else ""
    return [Text(f"{preposition} position {moment['position']}{time}")]


def hindsight_text(hindsight: Row) -> Text:
    """Return what is known now about a time, and what was believed then."""
    certain = "" if hindsight["certain"] else " (not certain)"
    differs = "differs from" if hindsight["differs"] else "does not contradict"
    return Text(
        f"believed then: {hindsight['believed']}\nknown of it:   {hindsight['known']}{certain}, "
        f"because {hindsight['because']}; this {differs} what was believed"
    )


def replay_tables(shown: Row) -> list[Grid | Text]:
    """Show a replayed run: the probes and the decision of each job, and the decisions that changed."""
    rows = ((job["job_id"], state(job["state_before"]), _probes(job), _decided(job)) for job in shown["items"])
    jobs = Grid("job", "was", "probes", "what", rows=rows, title=shown["run"]["run_id"])
    different = shown["different"]
    counted = f"{shown['decisions']} decisions replayed: {shown['identical']} unchanged, {len(different)} changed"
    parts: list[Grid | Text] = [jobs, Text(counted)]
    if different:
        parts.append(changed_decisions_table(different, "the rules have changed since"))
    if shown["what_if"] is not None:
        parts.append(changed_decisions_table(shown["what_if"], "under the other policy; nothing was written"))
    return parts


def changed_decisions_table(changes: list[Row], remark: str) -> Grid:
    """Show decisions that would change, with the reason."""
    rows = (
        (c["job_id"], c["run_id"], ruling(c["was"]), ruling(c["would_be"]), c["would_be"]["reason"]) for c in changes
    )
    title = f"decisions that would change: {len(changes)} ({remark})"
    return Grid("job", "run", "was", "would be", "reason", rows=rows, title=title)


def phases_table(found: Row) -> Grid:
    """Show how long each phase of two runs took, and how many jobs each rule decided."""
    phases = (("first_round", "all asked"), ("decided", "all decided"), ("proven", "all polled again"))
    times = [(title, *(_seconds(found[run][phase]) for run in ("phases_a", "phases_b"))) for phase, title in phases]
    rules = sorted(found["rules_a"].keys() | found["rules_b"].keys())
    counts = [(rule, *(found[run].get(rule, 0) for run in ("rules_a", "rules_b"))) for rule in rules]
    return Grid("", found["a"]["run_id"], found["b"]["run_id"], rows=[*times, *counts])


def rules_table(found: Row) -> Grid | Text:
    """Show the jobs that two runs decided by different rules."""
    if found["jobs"]:
        rows = ((job["job_id"], job["a"], job["b"]) for job in found["jobs"])
        return Grid("job", found["a"]["run_id"], found["b"]["run_id"], rows=rows, title="decided by different rules")
    if any(_undecided(found).values()):
        return Text(f"decided by both runs, by the same rule: {sum(found['rules_a'].values())} job(s)")
    return Text("both runs decided every job by the same rule")


def undecided_text(found: Row) -> list[Text]:
    """Return how many jobs only one of two runs decided, and how many of its jobs each run did not, in one text."""
    one = sum(None in (job["a"], job["b"]) for job in found["jobs"])
    jobs = {found[run]["run_id"]: found[run]["jobs"] for run in ("a", "b")}
    lines = [f"decided by one run only: {one} job(s)"] if one else []
    lines += [f"not decided by {run}: {n} of its {jobs[run]} job(s)" for run, n in _undecided(found).items() if n]
    return [Text("\n".join(lines))] if lines else []


def _undecided(found: Row) -> dict[str, int]:
    """Return the number of jobs that each of two runs did not decide."""
    return {found[run]["run_id"]: found[run]["jobs"] - sum(found[f"rules_{run}"].values()) for run in ("a", "b")}


def _probes(job: Row) -> Text:
    return Text("\n".join(map(_probe, job["probes"])) or "-")


def _probe(probe: Row) -> str:
    codes = ", ".join(str(answer["http_status"] or answer["status"]) for answer in probe["answers"])
    reached = "" if probe["progress_percent"] is None else f" {percent(probe['progress_percent'])}"
    return f"{_seconds(probe['after'])} {probe['status']}{reached} ({codes}; {probe['took_ms']:.0f} ms)"


def _decided(job: Row) -> Text:
    if job["recorded"] is None:
        return Text("not decided in this run")
    replayed = "unchanged" if job["identical"] else f"now {ruling(job['recomputed'])}"
    return Text.assemble(
        f"{_seconds(job['decided_after'])} {ruling(job['recorded'])}: {job['recorded']['reason']}\nthen ",
        state(job["state_after"]),
        (f"; {replayed}", "" if job["identical"] else "bold red"),
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
