"""Routes of past states, diffs, and recorded recovery runs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import httpx
import pytest

from api.http.routes import replays
from domain.events import EVENTS
from tests.support.http_api import eventually, items

HTTP = httpx.AsyncClient


@pytest.fixture(scope="module")
def api(shared_api: HTTP) -> HTTP:
    return shared_api


async def test_jobs_in_any_of_several_states_or_contexts_are_listed_now_and_then(
    api: HTTP, history: dict[str, Any]
) -> None:
    then = {"at": history["moment"].isoformat()}

    for when, failed in (({}, "job-3"), (then, "job-1")):
        by_state = await items(api, "/jobs", state=["failed", "completed"], **when)
        by_context = await items(api, "/jobs", vm_context_id=["ctx-3", "ctx-1"], **when)
        both = await items(api, "/jobs", state=["failed", "completed"], vm_context_id=["ctx-3", "ctx-1"], **when)
        assert {job["job_id"] for job in by_state} == {"job-2", failed}
        assert [job["job_id"] for job in by_context] == ["job-1", "job-3"]
        assert [job["job_id"] for job in both] == [failed]


async def test_a_job_is_shown_as_it_was_at_a_version_and_at_a_time(api: HTTP, history: dict[str, Any]) -> None:
    events = [e for e in await items(api, "/jobs/job-1/events", limit=1000) if e["stream_id"] == "job-1"]
    first = (await api.get("/jobs/job-1", params={"version": 1})).json()
    then = (await api.get("/jobs/job-1", params={"at": history["moment"].isoformat()})).json()
    now = (await api.get("/jobs/job-1", params={"version": len(events)})).json()

    assert (first["state"], first["version"], first["vma_status"]) == ("replicating", 1, None)
    assert (then["state"], then["basis"], then["live"]) == ("failed", "inferred", None)
    assert (now["state"], now["version"]) == ("replicating", len(events))


async def test_all_jobs_are_shown_at_a_past_time(api: HTTP, history: dict[str, Any]) -> None:
    at = history["moment"].isoformat()

    then = await items(api, "/jobs", at=at)

    assert {job["job_id"]: job["state"] for job in then} == {
        "job-1": "failed",
        "job-2": "completed",
        "job-3": "replicating",
    }
    assert [job["job_id"] for job in await items(api, "/jobs", at=at, state="failed")] == ["job-1"]
    assert [job["job_id"] for job in await items(api, "/jobs", at=at, vm_context_id="ctx-2")] == ["job-2"]
    assert await items(api, "/jobs", at="2001-01-01T00:00:00Z") == []
    first = (await api.get("/jobs", params={"at": at, "limit": 2})).json()
    second = (await api.get("/jobs", params={"at": at, "limit": 2, "cursor": first["next_cursor"]})).json()
    assert [job["job_id"] for job in (*first["items"], *second["items"])] == ["job-1", "job-2", "job-3"]


async def test_hindsight_differs_from_what_was_recorded_at_the_time(api: HTTP, history: dict[str, Any]) -> None:
    at = history["moment"].isoformat()
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()

    then_known = (await api.get("/jobs/job-1", params={"at": at, "as_known": at})).json()["hindsight"]
    now_known = (await api.get("/jobs/job-1", params={"at": at, "as_known": later})).json()["hindsight"]

    assert (then_known["believed"], then_known["certain"]) == ("failed", False)
    assert (now_known["known"], now_known["certain"], now_known["differs"]) == ("running", True, True)
    assert now_known["after"]["event"].startswith("job-1#")


async def test_the_events_of_a_job_are_those_of_the_audit_trail_about_it_in_the_order_of_the_log(
    api: HTTP, history: dict[str, Any]
) -> None:
    for job_id in ("job-1", "job-2", "job-3"):
        found = await items(api, f"/jobs/{job_id}/events", limit=3)

        trail = await items(api, "/audit", job_id=job_id, order="oldest", limit=3)

        assert found == trail
        assert [event["type"] for event in found[:2]] == ["JobRegistered", "JobAdmitted"]
        assert {event["job_id"] for event in found} == {job_id}


async def test_a_job_shows_how_it_ended_and_by_which_event(api: HTTP, history: dict[str, Any]) -> None:
    lost, (revised, observed, decided) = (
        (await api.get("/jobs/job-1", params={"version": history["version"]})).json()["ended"],
        [job["ended"] for job in await items(api, "/jobs")],
    )

    assert revised is None
    told = [(e["outcome"], e["basis"], e["rule"], e["who"], e["why"]) for e in (observed, decided)]
    assert told == [
        ("complete", "observed", None, None, "the VMA reported completed"),
        ("fail", None, None, "mara", "VM deleted"),
    ]
    assert (lost["outcome"], lost["basis"], lost["rule"], lost["who"]) == ("fail", "inferred", "lost", None)
    kinds = [(await api.get(f"/audit/{ended['position']}")).json() for ended in (lost, observed, decided)]
    assert [(e["job_id"], e["type"]) for e in kinds] == [
        ("job-1", "RecoveryDecided"),
        ("job-2", "VMAStatusObserved"),
        ("job-3", "OperatorDecided"),
    ]
    for job_id, ended in (("job-2", observed), ("job-3", decided)):
        assert (await api.get(f"/jobs/{job_id}")).json()["ended"] == ended


async def test_vm_contexts_are_listed_by_id_in_pages_and_by_whether_they_have_an_active_job(
    api: HTTP, history: dict[str, Any]
) -> None:
    every = await items(api, "/vm-contexts")
    first = (await api.get("/vm-contexts", params={"limit": 2})).json()
    rest = (await api.get("/vm-contexts", params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [context["vm_context_id"] for context in every] == ["ctx-1", "ctx-2", "ctx-3"]
    assert (first["items"] + rest["items"], rest["next_cursor"]) == (every, None)
    assert every[0] == (await api.get("/vm-contexts/ctx-1")).json()
    assert (every[0]["jobs"], every[0]["active_job"]) == (1, "job-1")
    assert await items(api, "/vm-contexts", active="true") == every[:1]
    assert await items(api, "/vm-contexts", active="false") == every[1:]


async def test_a_diff_names_the_fields_and_the_events_between(api: HTTP, history: dict[str, Any]) -> None:
    diff = (await api.get("/jobs/job-1/diff", params={"from": 1, "to": history["version"]})).json()

    changes = {change["field"]: (change["before"], change["after"]) for change in diff["changes"]}
    assert changes["state"] == ("replicating", "failed")
    assert changes["basis"] == (None, "inferred")
    assert [event["version"] for event in diff["events"]] == list(range(2, history["version"] + 1))
    for event in diff["events"]:
        assert event == (await api.get(f"/audit/{event['position']}")).json()
    by_time = (await api.get("/jobs/job-1/diff", params={"from": 1, "to": history["moment"].isoformat()})).json()
    assert (by_time["changes"], by_time["events"]) == (diff["changes"], diff["events"])


async def test_a_diff_has_the_events_after_the_earlier_version_up_to_the_later_one_in_either_order(
    api: HTTP, history: dict[str, Any]
) -> None:
    for begin, end in ((2, 3), (3, 2)):
        diff = (await api.get("/jobs/job-1/diff", params={"from": begin, "to": end})).json()
        assert [event["version"] for event in diff["events"]] == [3]
    assert (await api.get("/jobs/job-1/diff", params={"from": 2, "to": 2})).json()["events"] == []


async def test_a_time_that_has_passed_is_not_in_the_future(api: HTTP, history: dict[str, Any]) -> None:
    then = (await api.get("/jobs/job-1", params={"at": history["moment"].isoformat()})).json()["as_of"]
    ahead = (await api.get("/jobs/job-1", params={"at": "2100-01-01T00:00:00Z"})).json()["as_of"]

    assert (then["is_future"], ahead["is_future"]) == (False, True)


BAD = [
    ("/jobs/job-1", {"at": "yesterday"}, 422, "query.at"),
    ("/jobs/job-1", {"version": 0}, 422, "query.version"),
    ("/jobs/job-1", {"version": 9999}, 404, "its versions are 1 to"),
    ("/jobs/job-1", {"at": "2001-01-01T00:00:00Z"}, 404, "there was no job job-1 at 2001"),
    ("/jobs/job-9/diff", {"from": 1, "to": 2}, 404, "there is no job job-9"),
    ("/jobs/job-1", {"at": "1764165780"}, 422, "begins with a date"),
    ("/jobs/job-1", {"at": "2100-01-01", "position": 1}, 422, "at and position both name a moment"),
    ("/jobs/job-1", {"at": "2100-01-01", "version": 1}, 422, "version and at both name a moment"),
    ("/jobs/job-1", {"position": 1, "version": 1}, 422, "version and position both name a moment"),
    ("/jobs/job-1", {"position": -1}, 422, "query.position"),
    ("/jobs/job-1", {"position": 0}, 404, "there was no job job-1 at position 0"),
    ("/jobs/job-1", {"at": "2100-01-01", "as_known": "17"}, 422, "begins with a date"),
    (
        "/jobs/job-1/diff",
        {"from": "position:x", "to": 1},
        422,
        "query.from: must be a version, position:N,",
    ),
    (
        "/jobs/job-1/diff",
        {"from": "-1", "to": 1},
        422,
        "must be a version, position:N, or a time that begins with a date",
    ),
    (
        "/jobs/job-1/diff",
        {"from": 1, "to": "version:1"},
        422,
        "query.to: must be a version, position:N, or",
    ),
    ("/jobs/job-1", {"as_known": "position:x"}, 422, "must be position:N, or a time that begins with a date"),
    ("/jobs/job-1", {"at": "position:1"}, 422, "query.at: must be a time that begins with a date"),
    ("/jobs/job-1/diff", {"from": "0", "to": 1}, 404, "its versions are 1 to"),
    ("/jobs/job-1/diff", {"from": "position:9007199254740993", "to": 1}, 422, "must be at most"),
    ("/jobs", {"at": "2100-01-01", "position": 1}, 422, "at and position both name a moment"),
    ("/audit", {"rule": "guesswork"}, 422, "query.rule"),
    ("/audit", {"type": "JobDanced"}, 422, "query.type.0: Input should be 'JobRegistered', "),
    ("/audit", {"from": "2026-11-28 02:00"}, 422, "write 2026-11-28T02:00 for that time of day, or 2026-11-28+02:00"),
    ("/jobs", {"at": "2026-11-28 02:00"}, 422, "2026-11-28%2B02:00"),
    ("/audit", {"actor": ""}, 422, "query.actor.0: String should have at least 1 character"),
    ("/audit/999999", {}, 404, "no event at position 999999"),
    ("/recovery-runs/run-9/replay", {}, 404, "no recovery run run-9"),
    ("/recovery-runs/what-if", {"complete_above_percent": 101}, 422, "complete_above_percent"),
    ("/recovery-runs/what-if", {"complete_over_percent": 95}, 422, "query.complete_over_percent: unknown parameter"),
    (
        "/recovery-runs/what-if",
        {"since": "2026-01-01T00:00:00Z"},
        422,
        "query.since: unknown parameter: did you mean 'from'?",
    ),
    ("/recovery-runs/run-9/replay", {"foo": 1}, 422, "query.foo: unknown parameter"),
]


@pytest.mark.parametrize(("path", "query", "status", "says"), BAD)
async def test_a_request_that_cannot_be_answered_gets_a_reason(
    api: HTTP, history: dict[str, Any], path: str, query: dict[str, Any], status: int, says: str
) -> None:
    response = await api.get(path, params=query)

    assert (response.status_code, says in response.json()["detail"]) == (status, True), response.text


async def test_the_job_table_of_a_time_is_filtered_like_the_present_one(api: HTTP, history: dict[str, Any]) -> None:
    late = "2100-01-01T00:00:00Z"
    for wanted in (True, False):
        then = (await api.get("/jobs", params={"at": late, "needs_attention": wanted})).json()["items"]
        now = (await api.get("/jobs", params={"needs_attention": wanted})).json()["items"]
        assert [job["job_id"] for job in then] == [job["job_id"] for job in now]


async def test_a_what_if_without_another_number_shows_the_changes_of_the_code(
    api: HTTP, history: dict[str, Any]
) -> None:
    found = (await api.get("/recovery-runs/what-if")).json()

    assert (found["policy"], found["changes"]) == ({}, [])
    assert found["decisions"] > 0


async def test_a_what_if_with_more_changes_than_one_answer_has_is_refused(api: HTTP, history: dict[str, Any]) -> None:
    everything = {"unreachable_grace": "0", "complete_above_percent": "0"}
    changes = (await api.get("/recovery-runs/what-if", params=everything)).json()["changes"]
    assert changes

    with mock.patch.object(replays, "MAX_CHANGES", len(changes) - 1):
        refused = await api.get("/recovery-runs/what-if", params=everything)
    with mock.patch.object(replays, "MAX_CHANGES", len(changes)):
        allowed = await api.get("/recovery-runs/what-if", params=everything)

    assert (refused.status_code, allowed.json()["changes"]) == (422, changes)
    assert "narrow it by run_id, from or to" in refused.json()["detail"]


async def test_a_what_if_over_one_run_has_the_decisions_of_that_run_alone(api: HTTP, history: dict[str, Any]) -> None:
    over_all = (await api.get("/recovery-runs/what-if", params={"complete_above_percent": 10})).json()
    of_each = {}
    for run in await items(api, "/recovery-runs", limit=1000):
        query = {"complete_above_percent": 10, "run_id": run["run_id"]}
        of_each[run["run_id"]] = (await api.get("/recovery-runs/what-if", params=query)).json()
    unknown = await api.get("/recovery-runs/what-if", params={"run_id": "run-unknown"})

    assert of_each[history["run_id"]]["changes"] == over_all["changes"]
    assert of_each[history["run_id"]]["decisions"] == 1
    assert sum(found["decisions"] for found in of_each.values()) == over_all["decisions"]
    assert sum(len(found["changes"]) for found in of_each.values()) == len(over_all["changes"])
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "there is no recovery run run-unknown")


async def test_a_what_if_asked_again_has_the_decisions_made_since_and_another_filter_its_own(
    api: HTTP, history: dict[str, Any]
) -> None:
    async def decisions(**query: Any) -> int:
        found: int = (await api.get("/recovery-runs/what-if", params=query)).json()["decisions"]
        return found

    before = [await decisions(run_id=history["run_id"]), await decisions(), await decisions()]
    other = (await api.post("/recovery-runs", json={"dry_run": False})).json()["run_id"]
    await eventually(api, f"/recovery-runs/{other}", status="finished")
    after = [await decisions(), await decisions(), await decisions(run_id=other)]

    assert before == [1, before[1], before[1]]
    assert after[2] > 0
    assert after[:2] == [before[1] + after[2]] * 2


async def test_a_run_is_replayed_exported_and_replayed_under_another_policy(api: HTTP, history: dict[str, Any]) -> None:
    path = f"/recovery-runs/{history['run_id']}"

    replayed = (await api.get(f"{path}/replay", params={"complete_above_percent": 10})).json()
    exported = (await api.get(f"{path}/export")).text.splitlines()
    over_all = (await api.get("/recovery-runs/what-if", params={"complete_above_percent": 10})).json()

    assert (replayed["decisions"], replayed["identical"], replayed["different"]) == (1, 1, [])
    assert [job["job_id"] for job in replayed["items"]] == ["job-1"]
    assert [(c["was"]["rule"], c["would_be"]["rule"]) for c in replayed["what_if"]] == [("lost", "gone-near-end")]
    assert [c["job_id"] for c in over_all["changes"]] == ["job-1"]
    kinds = [json.loads(line)["type"] for line in exported[1:]]
    assert (kinds[0], kinds[-1]) == ("RecoveryRunStarted", "RecoveryRunFinished")
    assert set(kinds) <= set(EVENTS)


async def test_two_runs_are_compared(api: HTTP, history: dict[str, Any]) -> None:
    started = await api.post("/recovery-runs", json={"dry_run": False})
    other = started.json()["run_id"]
    await eventually(api, f"/recovery-runs/{other}", status="finished")

    compared = (await api.get("/recovery-runs/compare", params={"a": history["run_id"], "b": other})).json()

    assert {"job_id": "job-1", "a": "lost", "b": "still-running"} in compared["jobs"]
    assert compared["phases_b"]["proven"] >= compared["phases_b"]["decided"] >= 0


async def test_a_run_that_is_read_in_parts_is_replayed_as_a_whole(
    api: HTTP, history: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/recovery-runs/{history['run_id']}"
    at_once = [(await api.get(f"{path}{part}")).content for part in ("/export", "/replay")]

    monkeypatch.setattr(replays, "READ_AT_ONCE", 1)

    assert [(await api.get(f"{path}{part}")).content for part in ("/export", "/replay")] == at_once
    assert len(at_once[0].splitlines()) > 3
