"""Questions about events: the audit trail, its exports and chains, a job's events, the seal, the live stream."""

import csv
import io
import json
from typing import Any
from urllib.parse import quote

from tests.oracle import answers
from tests.oracle.answers import STATES, Wanted, page
from tests.oracle.past import View
from tests.oracle.question import NOT_FOUND, REFUSED, Answer, Draw, Query, Question, several, without_cursor

FILTERS = (
    "job_id",
    "vm_context_id",
    "run_id",
    "type",
    "rule",
    "basis",
    "outcome",
    "actor",
    "correlation_id",
    "causation_id",
    "stream_id",
)
Within = tuple[str | None, str | None]


def audit(draw: Draw) -> Question:
    """Ask for a page of the audit trail."""
    wanted, within, query = _filters(draw)
    order = draw.one_of(["newest", "oldest", None])
    newest = order != "oldest"
    limit = draw.limit()
    order_query: Query = [("order", order)] if order else []

    def found(head: int, after: int | None) -> Answer:
        if answers.is_reversed(within):
            return REFUSED
        return 200, page(answers.trail(draw.past, head, wanted, within, newest=newest, after=after), limit)

    def question(after: int | None, cursor: Query) -> Question:
        return Question(
            path="/audit",
            query=[*query, *order_query, ("limit", str(limit)), *cursor],
            answer=lambda head: found(head, after),
            shown=without_cursor,
            more=lambda given: question(given["items"][-1]["position"], [("cursor", given["next_cursor"])]),
            command=None if cursor else ["audit", *_options([*query, *order_query, ("limit", str(limit))])],
        )

    return question(None, [])


def export(draw: Draw) -> Question:
    """Ask for all events of a filter, as NDJSON or CSV."""
    wanted, within, query = _filters(draw)
    if not wanted:
        wanted, query = {"type": {"OperatorDecided"}}, [*query, ("type", "OperatorDecided")]
    form = draw.one_of(["ndjson", "csv"])

    def answer(head: int) -> Answer:
        if answers.is_reversed(within):
            return REFUSED
        found = list(answers.trail(draw.past, head, wanted, within, newest=False, after=None))
        return 200, found if form == "ndjson" else [_row(entry) for entry in found]

    return Question(
        path="/audit/export",
        query=[*query, ("format", form)],
        answer=answer,
        shown=_lines if form == "ndjson" else _table,
        text=True,
        command=["audit", *_options(query), "--export", form],
    )


def entry(draw: Draw) -> Question:
    """Ask for one event."""
    position = _position(draw)

    def answer(head: int) -> Answer:
        return (200, draw.past.entries[position - 1]) if position <= head else NOT_FOUND

    return Question(path=f"/audit/{position}", answer=answer)


def chain(draw: Draw) -> Question:
    """Ask for the causes of an event."""
    position = _position(draw)

    def answer(head: int) -> Answer:
        return (200, answers.chain(draw.past, position)) if position <= head else NOT_FOUND

    return Question(path=f"/audit/{position}/chain", answer=answer, command=["audit", "--chain", str(position)])


def events_of_job(draw: Draw) -> Question:
    """Ask for a page of what happened to a job, with its admissions."""
    job_id, limit = draw.job(), draw.limit()
    wanted: Wanted = {"job_id": {job_id}}

    def question(after: int | None, cursor: Query) -> Question:
        def answer(head: int) -> Answer:
            found = answers.trail(draw.past, head, wanted, (None, None), newest=False, after=after)
            is_known = job_id in draw.past.jobs and draw.past.jobs[job_id][0][0] <= head
            return (200, page(found, limit)) if is_known else NOT_FOUND

        return Question(
            path=f"/jobs/{quote(job_id)}/events",
            query=[("limit", str(limit)), *cursor],
            answer=answer,
            shown=without_cursor,
            more=lambda given: question(given["items"][-1]["position"], [("cursor", given["next_cursor"])]),
            command=None if cursor else ["events", job_id, "--limit", str(limit)],
        )

    return question(None, [])


def seal(draw: Draw) -> Question:
    """Ask for the seal of the log."""
    return Question(
        path="/audit/seal",
        answer=lambda head: (200, {"position": head, "hash": draw.past.seals.get(head)}),
    )


def stream(draw: Draw) -> Question:
    """Ask for the first event of a filter after a position, as it is streamed."""
    wanted, _, query = _filters(draw, times=False)
    after = draw.position() - 1
    found = answers.trail(draw.past, draw.past.head, wanted, (None, None), newest=False, after=after)
    first = next(iter(found), None)
    if first is None:
        first, query = draw.past.entries[after], []
    return Question(
        path="/events/stream",
        query=[*query, ("after", str(after))],
        answer=lambda _head: (200, first),
        streamed=True,
    )


def unknown_parameter(draw: Draw) -> Question:
    """Ask with a parameter that the route does not have."""
    path = draw.one_of(["/jobs", "/audit", "/audit/export", "/recovery-runs", "/vm-contexts", "/recovery/status"])
    name = draw.one_of(["job", "status", "sate", "limits", "frm", "x"])
    return Question(path=path, query=[(name, "failed")], answer=lambda _head: REFUSED)


def _position(draw: Draw) -> int:
    return draw.past.head + 1_000_000 if draw.chance(0.02) else draw.position()


def _filters(draw: Draw, *, times: bool = True) -> tuple[Wanted, Within, Query]:
    """Return random filters with values of one event, so that they often find something, and the query."""
    shown = draw.past.entries[draw.position() - 1]
    names = draw.rng.sample(FILTERS, draw.one_of([0, 1, 1, 1, 2, 2, 3]))
    wanted: dict[str, list[Any]] = {name: [shown[name]] for name in names if shown[name] is not None}
    for name, values in wanted.items():
        other = draw.past.entries[draw.position() - 1][name]
        if draw.chance(0.2) and other not in {None, *values}:
            values.append(other)
    if draw.chance(0.1):
        wanted["state"] = draw.some(STATES)
    within = tuple(draw.time() if times and draw.chance(0.2) else None for _ in range(2))
    ends: Query = [(name, time) for name, time in zip(("from", "to"), within, strict=True) if time]
    query = [pair for name, values in wanted.items() for pair in several(name, values)]
    return {name: set(values) for name, values in wanted.items()}, (within[0], within[1]), [*query, *ends]


def _options(query: Query) -> list[str]:
    names = {
        "job_id": "job",
        "vm_context_id": "vm-context",
        "run_id": "run",
        "correlation_id": "correlation",
        "causation_id": "causation",
        "stream_id": "stream",
    }
    return [f"--{names.get(name, name)}={value}" for name, value in query]


def _lines(given: str) -> list[Any]:
    return [json.loads(line) for line in given.splitlines()]


def _table(given: str) -> list[Any]:
    return [[*row[:-1], json.loads(row[-1])] for row in list(csv.reader(io.StringIO(given)))[1:]]


def _row(shown: View) -> list[Any]:
    values = [shown[name] for name in shown if name != "data"]
    return [*("" if value is None else str(value) for value in values), shown["data"]]


KINDS = {
    audit: 20,
    export: 2,
    entry: 4,
    chain: 5,
    events_of_job: 5,
    seal: 1,
    stream: 1,
    unknown_parameter: 1,
}
