"""Routes of the audit trail: filters, periods, pages, exports and causation chains."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.http import exports
from tests.support.http_api import items, registered

HTTP = httpx.AsyncClient


@pytest.fixture(scope="module")
def api(shared_api: HTTP) -> HTTP:
    return shared_api


async def positions_among(everything: list[dict[str, Any]], api: HTTP, **query: Any) -> list[int]:
    """Return the positions that a query finds, without what a poll has recorded since everything was read."""
    found = await items(api, "/audit", order="oldest", limit=1000, **query)
    return [entry["position"] for entry in found if entry["position"] <= everything[-1]["position"]]


async def test_each_filter_of_the_audit_trail_finds_what_it_names(api: HTTP, history: dict[str, Any]) -> None:
    everything = await items(api, "/audit", order="oldest", limit=1000)
    assert [entry["position"] for entry in everything] == list(range(1, len(everything) + 1))

    def expected(name: str, value: object) -> list[int]:
        return [entry["position"] for entry in everything if entry[name] == value]

    filters: dict[str, Any] = {
        "job_id": "job-1",
        "vm_context_id": "ctx-2",
        "run_id": history["run_id"],
        "type": "RecoveryDecided",
        "rule": "lost",
        "basis": "inferred",
        "outcome": "fail",
        "actor": "mara",
    }
    for name, value in filters.items():
        found = await positions_among(everything, api, **{name: value})
        assert found == expected(name, value) != [], name
    both = await items(api, "/audit", job_id="job-1", type="RecoveryDecided", rule="lost")
    assert [entry["outcome"] for entry in both] == ["fail"]


async def test_a_filter_with_several_values_finds_the_events_of_any_of_them(api: HTTP, history: dict[str, Any]) -> None:
    everything = await items(api, "/audit", order="oldest", limit=1000)

    found = await positions_among(everything, api, job_id=["job-1", "job-3"], outcome=["fail", "resume"])

    wanted = [e for e in everything if e["job_id"] != "job-2" and e["outcome"] in {"fail", "resume"}]
    assert found == [entry["position"] for entry in wanted]
    assert {entry["type"] for entry in wanted} == {"RecoveryDecided", "OutcomeRevised", "OperatorDecided"}


async def test_whatever_an_event_shows_finds_it(api: HTTP, history: dict[str, Any]) -> None:
    for entry in await items(api, "/audit", order="oldest", limit=1000):
        shown = {
            n: v for n, v in entry.items() if v is not None and n not in {"position", "version", "recorded_at", "data"}
        }
        same = await items(api, "/audit", limit=1000, **shown)
        assert entry["position"] in [other["position"] for other in same], shown


async def test_an_operators_decision_and_a_revision_are_no_decisions_of_recovery(
    api: HTTP, history: dict[str, Any]
) -> None:
    decided = await items(api, "/audit", type="RecoveryDecided", limit=1000)

    status = (await api.get("/recovery/status")).json()

    assert (await items(api, "/audit", rule=["operator", "outcome-revised"])) != []
    assert status["decisions"] == len(decided) == sum(status["decisions_by_outcome"].values())
    assert set(status["decisions_by_rule"]) == {entry["rule"] for entry in decided}


async def test_more_values_than_a_filter_takes_are_refused(api: HTTP, history: dict[str, Any]) -> None:
    answer = await api.get("/audit", params={"job_id": [f"job-{n}" for n in range(51)]})

    assert (answer.status_code, "at most 50 items" in answer.json()["detail"]) == (422, True)


async def test_a_period_is_inclusive_and_by_the_events_own_time(api: HTTP, history: dict[str, Any]) -> None:
    everything = await items(api, "/audit", order="oldest", limit=1000)
    first, last = everything[3]["recorded_at"], everything[-3]["recorded_at"]

    found = await items(api, "/audit", order="oldest", limit=1000, **{"from": first, "to": last})

    assert found == [entry for entry in everything if first <= entry["recorded_at"] <= last]
    assert await items(api, "/audit", **{"from": "2100-01-01T00:00:00Z"}) == []
    assert await items(api, "/audit", to="1999-01-01T00:00:00Z") == []


@pytest.mark.parametrize("path", ["/audit", "/audit/export", "/events/stream", "/recovery-runs/what-if"])
async def test_a_period_that_ends_before_it_begins_is_refused(api: HTTP, history: dict[str, Any], path: str) -> None:
    day, before = f"{history['moment']:%Y-%m-%d}", "2001-09-09"

    refused = await api.get(path, params={"from": day, "to": before})

    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert refused.json()["detail"].startswith(f"`from` ({day}T00:00:00+00:00) is after `to` ({before}T23:59:59.999999")
    assert await items(api, "/audit", **{"from": day, "to": day}) != []


async def test_pages_neither_repeat_nor_skip_while_events_are_added(api: HTTP, history: dict[str, Any]) -> None:
    before = await items(api, "/audit", order="newest", limit=1000)
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await api.get("/audit", params={"order": "newest", "limit": 3, **cursor})).json()
        seen += [entry["position"] for entry in page["items"]]
        await registered(api, job_id=f"new-{len(seen)}", vm_context_id=f"new-{len(seen)}")
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen[-len(before) :] == [entry["position"] for entry in before]
    assert len(seen) == len(set(seen))


async def test_an_export_has_every_event_in_both_forms(api: HTTP, history: dict[str, Any]) -> None:
    everything = await items(api, "/audit", order="oldest", limit=1000)

    lines = (await api.get("/audit/export")).text.splitlines()
    table = list(csv.DictReader(io.StringIO((await api.get("/audit/export", params={"format": "csv"})).text)))

    assert [json.loads(line)["position"] for line in lines][: len(everything)] == [e["position"] for e in everything]
    assert [int(row["position"]) for row in table][: len(everything)] == [e["position"] for e in everything]
    assert json.loads(table[0]["data"]) == everything[0]["data"]


async def test_the_causation_chain_of_a_decision_begins_with_the_restart(api: HTTP, history: dict[str, Any]) -> None:
    (decided,) = await items(api, "/audit", job_id="job-1", rule="lost")

    chain = (await api.get(f"/audit/{decided['position']}/chain")).json()

    kinds = [entry["type"] for entry in chain["items"]]
    assert (kinds[0], kinds[-1]) == ("RecoveryDecided", "RecoveryRunStarted")
    assert set(kinds[1:-2]) == {"VMAStatusObserved"}
    assert kinds[-2] == "RecoveryStarted"
    assert chain["origin"] == (await api.get("http://localhost/health")).json()["instance"]


async def test_the_causation_chain_of_an_operators_decision_ends_with_his_name(
    api: HTTP, history: dict[str, Any]
) -> None:
    for kind in ("OperatorDecided", "JobReleased"):
        event = (await items(api, "/audit", job_id="job-3", type=kind))[0]

        chain = (await api.get(f"/audit/{event['position']}/chain")).json()

        assert (chain["origin"], chain["items"][-1]["actor"]) == ("mara", "mara")


async def test_other_requests_run_between_the_blocks_of_an_export() -> None:
    turns = 0

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(5000):
            yield b"x" * 99 + b"\n"

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    blocks = [block async for block in exports.in_blocks(lines())]
    task.cancel()

    assert b"".join(blocks) == (b"x" * 99 + b"\n") * 5000
    assert turns >= len(blocks) - 1 > 5
    assert all(len(block) < 2 * exports.BLOCK for block in blocks)
