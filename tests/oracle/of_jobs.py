"""Questions about jobs, present and past."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.oracle import answers
from tests.oracle.answers import STATES, Wanted
from tests.oracle.job import WITHOUT_RULE, view
from tests.oracle.past import Past, View
from tests.oracle.question import (
    NOT_FOUND,
    Answer,
    Draw,
    Point,
    Query,
    Question,
    several,
    version_at,
    without_cursor,
)

LIVE = {"live", "retry_in"}
"""What is in the service's memory, and not in the log."""

PRESENT = {"as_of": None, "as_known": None, "hindsight": None}


def job_now(draw: Draw) -> Question:
    """Ask for a job as it is."""
    job_id = draw.job()

    def answer(head: int) -> Answer:
        job = version_at(draw.past, job_id, head)
        return (200, view(job) | PRESENT) if job else NOT_FOUND

    return Question(path=_path(job_id), answer=answer, shown=_present, command=["job", job_id])


def job_then(draw: Draw) -> Question:
    """Ask for a job at a position or a time, sometimes with what is known of it by another one, or by this one."""
    job_id, then = draw.job(), draw.point()
    known = draw.point() if draw.chance(0.3) else None
    alone = known is not None and draw.chance(0.2)
    then = known if known and alone else then

    def answer(head: int) -> Answer:
        job = version_at(draw.past, job_id, then.position(head))
        if job is None:
            return NOT_FOUND
        told = _hindsight(draw.past, job, then.time_at(head), known.position(head)) if known else None
        known_by = known.as_of(head) if known else None
        return 200, view(job) | {"as_of": then.as_of(head), "as_known": known_by, "hindsight": told}

    query = [*([] if alone else [(then.name, then.text)]), *([("as_known", known.bare)] if known else [])]
    command = ["job", job_id, *(f"--{name.replace('_', '-')}={text}" for name, text in query)]
    return Question(path=_path(job_id), query=query, answer=answer, shown=_past(then, known), command=command)


def job_of_version(draw: Draw) -> Question:
    """Ask for a job at one of its versions."""
    job_id = draw.job()
    version = draw.rng.randint(1, len(draw.past.jobs.get(job_id, "12")) + 1)

    def answer(head: int) -> Answer:
        found = _of_version(draw.past, job_id, version, head)
        if found is None:
            return NOT_FOUND
        position, job = found
        return 200, view(job) | PRESENT | {"as_of": draw.at_position(position).as_of(head)}

    query = [("version", str(version))]
    command = ["job", job_id, "--version", str(version)]
    return Question(path=_path(job_id), query=query, answer=answer, shown=_past(draw.at_position(0)), command=command)


def job_list(draw: Draw) -> Question:
    """Ask for a page of jobs, now or then, with filters."""
    wanted, query = _filters(draw)
    point = draw.point() if draw.chance(0.6) else None
    named = [(point.name, point.text)] if point else []
    limit = draw.limit()
    # The command has no option for those that need none, and reads pages of the past until it has enough jobs.
    is_command = "needs_attention" not in wanted or (point is None and wanted["needs_attention"] == {True})

    def question(after: str, cursor: Query, first: View | None) -> Question:
        def found(head: int) -> View:
            position = first["position"] if first else point.position(head) if point else head
            return answers.job_page(draw.past, position, wanted, after, limit, is_past=point is not None)

        def answer(head: int) -> Answer:
            shown = {name: value for name, value in found(head).items() if name != "_last"}
            return 200, shown | {"as_of": first or (point.as_of(head) if point else None)}

        def more(given: View) -> Question:
            # A page of the past may have fewer items than were cut, or none.
            cursor = [("cursor", given["next_cursor"])]
            if point is None:
                return question(given["items"][-1]["job_id"], cursor, None)
            told = point.shown(given["as_of"])
            beside = draw.one_of([[], named, [_other(draw)]])
            return question(found(told["position"])["_last"], [*beside, *cursor], told)

        return Question(
            path="/jobs",
            query=[*query, ("limit", str(limit)), *(cursor or named)],
            answer=answer,
            shown=_page(point),
            more=more,
            command=["jobs", *_options(query + named, limit)] if is_command and not cursor else None,
        )

    return question("", [], None)


def diff(draw: Draw) -> Question:
    """Ask how a job changed between two versions, times or positions."""
    job_id = draw.job()
    ends = [_end(draw, job_id) for _ in range(2)]

    def answer(head: int) -> Answer:
        begin, end = (found(head) for _, found in ends)
        if begin is None or end is None:
            return NOT_FOUND
        return 200, answers.diff(draw.past, job_id, begin, end)

    query = [(name, text) for name, (text, _) in zip(("from", "to"), ends, strict=True)]
    command = ["diff", job_id, *(text for text, _ in ends)]
    path = f"{_path(job_id)}/diff"
    return Question(path=path, query=query, answer=answer, shown=_changes, command=command)


def polling(draw: Draw) -> Question:
    """Ask which process watches a job."""
    job_id = draw.job()

    def answer(head: int) -> Answer:
        job = version_at(draw.past, job_id, head)
        if job is None:
            return NOT_FOUND
        return 200, {"job_id": job_id, "state": job["state"], "watched_by": answers.watcher(job)}

    def shown(given: View) -> View:
        return {name: given[name] for name in ("job_id", "state", "watched_by")}

    return Question(path=f"/polling/{quote(job_id)}", answer=answer, shown=shown)


def _path(job_id: str) -> str:
    return f"/jobs/{quote(job_id)}"


def _filters(draw: Draw) -> tuple[Wanted, Query]:
    wanted: dict[str, list[Any]] = {}
    if draw.chance(0.4):
        wanted["state"] = draw.some(STATES)
    if draw.chance(0.15):
        wanted["vm_context_id"] = draw.some(list(draw.past.contexts))
    if draw.chance(0.2):
        wanted["needs_attention"] = [draw.chance(0.5)]
    query = [pair for name, values in wanted.items() for pair in several(name, values)]
    return {name: set(values) for name, values in wanted.items()}, query


def _other(draw: Draw) -> tuple[str, str]:
    """Return another moment beside a cursor, whose own one counts."""
    point = draw.point()
    return point.name, point.text


def _options(query: Query, limit: int) -> list[str]:
    flags = {("needs_attention", "true"): ["--needs-attention"]}
    names = {"vm_context_id": "vm-context"}
    options = [flags.get(pair, [f"--{names.get(pair[0], pair[0])}", pair[1]]) for pair in query]
    return [*(part for option in options for part in option), "--limit", str(limit)]


def _end(draw: Draw, job_id: str) -> tuple[str, Callable[[int], View | None]]:
    """Return one end of a difference, as it is written and as what it means."""
    if draw.chance(0.5):
        version = draw.rng.randint(1, len(draw.past.jobs.get(job_id, [])) + 1)
        return str(version), lambda head: (_of_version(draw.past, job_id, version, head) or (0, None))[1]
    point = draw.point()
    return point.bare, lambda head: version_at(draw.past, job_id, point.position(head))


def _of_version(past: Past, job_id: str, version: int, head: int) -> tuple[int, View] | None:
    """Return a version of a job, and the position of its event."""
    found = past.jobs.get(job_id, [])[version - 1 : version]
    return found[0] if found and found[0][0] <= head else None


def _hindsight(past: Past, job: View, time: int | None, known: int) -> View | None:
    events = [past.events[p - 1] for p, _ in past.jobs[job["job_id"]] if p <= known]
    return None if time is None else answers.hindsight(job["state"], events, time)


def _present(given: View) -> View:
    """Return a present job without what the log cannot tell."""
    own = {name: value for name, value in given.items() if name not in LIVE}
    return own | {"attention": _reasons(given["attention"])}


def _reasons(given: list[str]) -> list[str]:
    """Return reasons as the oracle has them: without the remedies of those that are no rules."""
    names = [reason.partition(":")[0] for reason in given]
    return [name if name in WITHOUT_RULE else reason for name, reason in zip(names, given, strict=True)]


def _past(then: Point, known: Point | None = None) -> Callable[[View], View]:
    """Return what reduces a past job, of which nothing is live; the words of a hindsight are not compared."""

    def shown(given: View) -> View:
        assert not any(given.get(name) for name in LIVE), given
        told = given["hindsight"] and {name: value for name, value in given["hindsight"].items() if name != "because"}
        known_by = known.shown(given["as_known"]) if known else given["as_known"]
        return _present(given) | {"as_of": then.shown(given["as_of"]), "as_known": known_by, "hindsight": told}

    return shown


def _page(then: Point | None) -> Callable[[View], View]:
    """Return what reduces a page of jobs."""

    def shown(given: View) -> View:
        items = [
            {name: value for name, value in _present(job).items() if name not in PRESENT} for job in given["items"]
        ]
        return without_cursor(given) | {"items": items, "as_of": then.shown(given["as_of"]) if then else given["as_of"]}

    return shown


def _changes(given: View) -> View:
    own = {name: value for name, value in given.items() if not name.endswith("_as_of")}
    changes = {change["field"]: [change["before"], change["after"]] for change in given["changes"]}
    if "attention" in changes:
        changes["attention"] = [_reasons(reasons) for reasons in changes["attention"]]
    return own | {"changes": changes}


KINDS = {
    job_now: 6,
    job_then: 28,
    job_of_version: 6,
    job_list: 8,
    diff: 8,
    polling: 2,
}
