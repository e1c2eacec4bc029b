"""Questions about recovery runs, their replays, and the state of recovery."""

import json
from typing import Any
from urllib.parse import quote

from tests.oracle import answers
from tests.oracle.answers import page
from tests.oracle.log import OF_EVERY_EVENT
from tests.oracle.past import View, at
from tests.oracle.question import NOT_FOUND, REFUSED, Answer, Draw, Query, Question, without_cursor

COUNTED = {"outcomes", "rules", "resumed", "settled", "settled_elsewhere"}
"""What the service counts in memory while a run is running."""


def run_now(draw: Draw) -> Question:
    """Ask for a recovery run."""
    run_id = draw.run()

    def answer(head: int) -> Answer:
        run = at(draw.past.runs.get(run_id, []), head)
        return (200, _logged(run)) if run else NOT_FOUND

    return Question(path=f"/recovery-runs/{quote(run_id)}", answer=answer, shown=_logged)


def run_list(draw: Draw) -> Question:
    """Ask for a page of recovery runs."""
    limit = draw.limit()

    def question(before: int | None, cursor: Query) -> Question:
        def answer(head: int) -> Answer:
            found = page(answers.run_list(draw.past, head, before), limit)
            return 200, _logged_page(found)

        def more(given: View) -> Question:
            begun = draw.past.runs[given["items"][-1]["run_id"]][0][0]
            return question(begun, [("cursor", given["next_cursor"])])

        return Question(
            path="/recovery-runs",
            query=[("limit", str(limit)), *cursor],
            answer=answer,
            shown=lambda given: _logged_page(without_cursor(given)),
            more=more,
            command=None if cursor else ["runs", "--limit", str(limit)],
        )

    return question(None, [])


def decisions(draw: Draw) -> Question:
    """Ask for a page of a run's decisions."""
    run_id, limit = draw.run(), draw.limit()

    def answer(head: int) -> Answer:
        found = page(answers.decisions(draw.past, run_id, head), limit)
        return (200, found) if at(draw.past.runs.get(run_id, []), head) else NOT_FOUND

    path = f"/recovery-runs/{quote(run_id)}/decisions"
    return Question(path=path, query=[("limit", str(limit))], answer=answer, shown=without_cursor)


def replay(draw: Draw) -> Question:
    """Ask for the replay of a run: what was recorded, and the same decisions again."""
    run_id = draw.run()

    def answer(head: int) -> Answer:
        run = at(draw.past.runs.get(run_id, []), head)
        if not run:
            return NOT_FOUND
        jobs = answers.replayed(answers.events_of_run(draw.past, run_id, head))
        decided = sum(job["recorded"] is not None for job in jobs)
        told = {"decisions": decided, "identical": decided, "different": [], "items": jobs}
        return 200, {"run": _logged(run), **told}

    path = f"/recovery-runs/{quote(run_id)}/replay"
    return Question(path=path, query=[("limit", "1000")], answer=answer, shown=_replayed, command=["replay", run_id])


def export(draw: Draw) -> Question:
    """Ask for a run as one file."""
    run_id = draw.run()

    def answer(head: int) -> Answer:
        events = answers.events_of_run(draw.past, run_id, head)
        return (200, [[event.type, event.ref, event.data] for event in events]) if events else NOT_FOUND

    def shown(given: str) -> list[Any]:
        head, *lines = [json.loads(line) for line in given.splitlines()]
        assert head["events"] == len(lines), given
        return [
            [line["type"], f"{e['originator_id']}#{e['originator_version']}", _own(e)]
            for line in lines
            for e in [line["event"]]
        ]

    return Question(path=f"/recovery-runs/{quote(run_id)}/export", answer=answer, shown=shown, text=True)


def what_if(draw: Draw) -> Question:
    """Ask for all decisions of a period again, by the same policy: none changes."""
    within = (draw.time(), draw.time())
    query = list(zip(("from", "to"), within, strict=True))

    def answer(head: int) -> Answer:
        if answers.is_reversed(within):
            return REFUSED
        wanted = {"type": {"RecoveryDecided"}}
        found = list(answers.trail(draw.past, head, wanted, within, newest=False, after=None))
        runs = len({entry["run_id"] for entry in found})
        return 200, {"policy": {}, "runs": runs, "decisions": len(found), "changes": []}

    command = ["what-if", f"--from={within[0]}", f"--to={within[1]}"]
    return Question(path="/recovery-runs/what-if", query=query, answer=answer, command=command)


def compare(draw: Draw) -> Question:
    """Ask for two runs side by side."""
    ids = [draw.run(), draw.run()]

    def answer(head: int) -> Answer:
        if not all(at(draw.past.runs.get(run_id, []), head) for run_id in ids):
            return NOT_FOUND
        rules = [answers.rules_by_job(answers.events_of_run(draw.past, run_id, head)) for run_id in ids]
        a, b = rules
        differ = [
            {"job_id": job_id, "a": a.get(job_id), "b": b.get(job_id)}
            for job_id in sorted(a.keys() | b.keys())
            if a.get(job_id) != b.get(job_id)
        ]
        return 200, {"rules_a": answers.counted(a), "rules_b": answers.counted(b), "jobs": differ}

    def shown(given: View) -> View:
        return {name: given[name] for name in ("rules_a", "rules_b", "jobs")}

    query = list(zip("ab", ids, strict=True))
    return Question(path="/recovery-runs/compare", query=query, answer=answer, shown=shown, command=["compare", *ids])


def status(draw: Draw) -> Question:
    """Ask for the state of recovery."""

    def shown(given: View) -> View:
        return {name: given[name] for name in answers.status(draw.past, 0)}

    return Question(
        path="/recovery/status", answer=lambda head: (200, answers.status(draw.past, head)), shown=shown, parts=True
    )


def _logged(run: View) -> View:
    """Return a run; while it is running without what may be ahead of the log, or behind it."""
    return {name: value for name, value in run.items() if run["status"] != "running" or name not in COUNTED}


def _logged_page(found: View) -> View:
    return found | {"items": [_logged(run) for run in found["items"]]}


def _replayed(given: View) -> View:
    names = ("job_id", "state_before", "cause", "recorded", "recomputed")
    items = [
        {name: item[name] for name in names} | {"statuses": [probe["status"] for probe in item["probes"]]}
        for item in given["items"]
    ]
    same = {name: given[name] for name in ("decisions", "identical", "different")}
    return {"run": _logged(given["run"]), **same, "items": items}


def _own(event: View) -> View:
    return {name: value for name, value in event.items() if name not in OF_EVERY_EVENT}


KINDS = {
    run_now: 4,
    run_list: 3,
    decisions: 3,
    replay: 2,
    export: 1,
    what_if: 1,
    compare: 1,
    status: 3,
}
