"""The ETag of a job covers every byte of the response, and conditions on it follow RFC 9110."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.http.app import openapi_document
from api.http.event_ids import event_id
from api.http.validators import Condition, condition
from tests.support.http_api import eventually, registered

HTTP = httpx.AsyncClient
ORDER = {"outcome": "fail", "who": "mara", "why": "VM deleted"}


@pytest.fixture(scope="module")
def vma(shared_vma: SimulatedVMA) -> SimulatedVMA:
    return shared_vma


@pytest.fixture(scope="module")
async def api(shared_api: HTTP, vma: SimulatedVMA) -> HTTP:
    """Serve a job that runs, `live`, and some that have ended."""
    vma.world.add_job("live", ["disk-live"], progress=41.0, duration=36_000)
    await registered(shared_api, job_id="live", vm_context_id="ctx-live", volume_ids=["disk-live"])
    await eventually(shared_api, "/jobs/live", vma_status="running")
    return shared_api


async def ended(api: HTTP, vma: SimulatedVMA, job_id: str) -> httpx.Response:
    """Have a job completed, and return it."""
    vma.world.add_job(job_id, [f"disk-{job_id}"], progress=41.0, duration=36_000)
    await registered(api, job_id=job_id, vm_context_id=f"ctx-{job_id}", volume_ids=[f"disk-{job_id}"])
    vma.world.finish(job_id)
    await eventually(api, f"/jobs/{job_id}", state="completed")
    return await api.get(f"/jobs/{job_id}")


async def polled_again(api: HTTP, job_id: str) -> httpx.Response:
    """Return a job after another poll."""
    polls = (await api.get(f"/jobs/{job_id}")).json()["live"]["polls"]
    while (found := await api.get(f"/jobs/{job_id}")).json()["live"]["polls"] == polls:
        pass
    return found


async def decide(api: HTTP, job_id: str, *tags: str) -> httpx.Response:
    return await api.post(f"/jobs/{job_id}/decision", json=ORDER, headers=[("If-Match", tag) for tag in tags])


async def test_a_poll_that_changes_the_live_figures_changes_the_tag_and_not_the_version(api: HTTP) -> None:
    first, later = await api.get("/jobs/live"), await polled_again(api, "live")
    if first.json()["version"] != later.json()["version"]:
        # That poll was the one in a minute that is recorded.
        first, later = later, await polled_again(api, "live")

    assert first.json()["version"] == later.json()["version"]
    assert first.headers["etag"] != later.headers["etag"]
    asked_again = await api.get("/jobs/live", headers={"If-None-Match": first.headers["etag"]})
    assert asked_again.status_code == 200


@pytest.mark.parametrize("query", [{}, {"version": 1}, {"version": 1, "as_known": "position:1"}])
async def test_a_tag_is_of_every_byte_of_the_response(api: HTTP, query: dict[str, Any]) -> None:
    found = await api.get("/jobs/live", params=query)

    digest = hashlib.blake2b(found.content, digest_size=8).hexdigest()
    version, event, of_bytes = found.headers["etag"].strip('"').split(".")
    assert (version, of_bytes) == (str(found.json()["version"]), digest)
    events = (await api.get("/jobs/live/events")).json()["items"]
    (last,) = (e for e in events if (e["stream_id"], e["version"]) == ("live", int(version)))
    streamed = event_id(last["position"], f"live#{version}", datetime.fromisoformat(last["recorded_at"]))
    assert streamed == f"{last['position']}.{event}"


async def test_hindsight_that_has_changed_since_is_sent_again(api: HTTP, vma: SimulatedVMA) -> None:
    before = (await ended(api, vma, "believed")).json()
    at = {"at": before["registered_at"], "as_known": before["registered_at"]}
    believed = await api.get("/jobs/believed", params=at)

    known = await api.get(
        "/jobs/believed",
        params=at | {"as_known": datetime.now(UTC).isoformat()},
        headers={"If-None-Match": believed.headers["etag"]},
    )

    assert known.status_code == 200
    assert known.json()["version"] == believed.json()["version"]
    assert known.json()["hindsight"] != believed.json()["hindsight"]


async def test_a_job_that_has_not_changed_in_any_byte_is_not_sent_again(api: HTTP, vma: SimulatedVMA) -> None:
    first = await ended(api, vma, "quiet")
    tag = first.headers["etag"]

    for named in (tag, f'"0", {tag}', f"W/{tag}", "*", f' , "a,b" ,{tag},'):
        for _ in range(2):
            same = await api.get("/jobs/quiet", headers={"If-None-Match": named})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag), named
    for named in ('"0"', f'"{first.json()["version"]}"', '"a,b"'):
        other = await api.get("/jobs/quiet", headers={"If-None-Match": named})
        assert (other.status_code, other.content) == (200, first.content), named


async def test_an_equal_tag_is_found_in_any_line_of_the_header(api: HTTP, vma: SimulatedVMA) -> None:
    tag = (await ended(api, vma, "lines")).headers["etag"]

    same = await api.get("/jobs/lines", headers=[("If-None-Match", '"0"'), ("If-None-Match", tag)])

    assert same.status_code == 304


async def test_a_decision_on_what_is_still_so_is_made_and_its_answer_has_the_new_tag(api: HTTP) -> None:
    await registered(api, job_id="open", vm_context_id="ctx-open", volume_ids=["disk-open"])
    answer, tag = httpx.Response(412), ""
    while answer.status_code == 412:
        # A poll may be recorded in between, which is a new version.
        tag = (await api.get("/jobs/open")).headers["etag"]
        answer = await decide(api, "open", '"0.0000000000000000"', tag)

    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert answer.headers["etag"] == (await api.get("/jobs/open")).headers["etag"] != tag


async def test_the_same_version_in_a_history_that_the_log_has_lost_is_not_decided_on(
    api: HTTP, vma: SimulatedVMA
) -> None:
    """After a restore, or a failover to a replica that lagged, the job gets its versions a second time."""
    present = await ended(api, vma, "twice")
    version, event, digest = present.headers["etag"].strip('"').split(".")
    lost = f'"{version}.{int(event, 16) ^ 1:08x}.{digest}"'

    refused = await decide(api, "twice", lost)

    assert (refused.status_code, refused.headers["etag"]) == (412, present.headers["etag"])


async def test_live_figures_are_no_change_of_the_job_that_is_decided(api: HTTP, vma: SimulatedVMA) -> None:
    vma.world.add_job("moving", ["disk-moving"], progress=41.0, duration=360_000)
    await registered(api, job_id="moving", vm_context_id="ctx-moving", volume_ids=["disk-moving"])
    await eventually(api, "/jobs/moving", vma_status="running")
    decided = httpx.Response(412)
    for _ in range(2):
        if decided.status_code == 412:
            # Once: the poll in between may be the one in a minute that is recorded.
            seen = await api.get("/jobs/moving")
            assert (await polled_again(api, "moving")).headers["etag"] != seen.headers["etag"]
            decided = await decide(api, "moving", seen.headers["etag"])

    assert (decided.status_code, decided.json()["state"]) == (200, "failed")


async def test_a_decision_on_what_has_changed_since_is_refused_with_the_present_tag(
    api: HTTP, vma: SimulatedVMA
) -> None:
    present = await ended(api, vma, "changed")
    tag, version = present.headers["etag"], present.json()["version"]
    old = f'"{version - 1}.0000000000000000"'

    for named in (old, f"W/{old}", f'"{version}"', '"x", "-1"', f'"0{tag[1:]}'):
        refused = await decide(api, "changed", named)
        assert (refused.status_code, refused.headers["etag"]) == (412, tag), named
        detail = refused.json()["detail"]
        assert f"job changed has changed since: it is at version {version} now" in detail
        assert "Read it again" in detail
    assert (await api.get("/jobs/changed")).content == present.content


async def test_a_weak_tag_of_the_present_version_never_matches_and_the_strong_one_beside_it_does(
    api: HTTP, vma: SimulatedVMA
) -> None:
    present = await ended(api, vma, "weak")
    tag = present.headers["etag"]

    for named in (f"W/{tag}", f'"x", W/{tag}', f"W/{tag}"):
        refused = await decide(api, "weak", named)
        assert (refused.status_code, refused.headers["etag"]) == (412, tag)
        assert 'a weak tag (W/"…") never matches, also not one of the present version' in refused.json()["detail"]
        assert "has changed since" not in refused.json()["detail"]
    assert (await decide(api, "weak", f"W/{tag}", tag)).status_code == 409
    assert (await api.get("/jobs/weak")).content == present.content


@pytest.mark.parametrize("named", ["5", "-1", "", ",", '"a" "b"', '"a', 'w/"a"', '*, "a"', '"a" x', "'5'", '"a"b'])
async def test_what_is_no_entity_tag_is_refused_and_an_example_is_shown(api: HTTP, named: str) -> None:
    answers = [
        await decide(api, "live", named),
        await api.get("/jobs/live", headers={"If-None-Match": named}),
        await api.get("/jobs/live", params={"version": 1}, headers={"If-None-Match": named}),
    ]

    for answer in answers:
        assert answer.status_code == 400, named
        assert 'with its quotes, such as "7.1a2b3c4d.0f1e2d3c4b5a6978"' in answer.json()["detail"]
    assert (await api.get("/jobs/live")).json()["state"] == "replicating"


async def test_any_existing_job_matches_an_asterisk_and_no_other_does(api: HTTP) -> None:
    await registered(api, job_id="any", vm_context_id="ctx-any", volume_ids=["disk-any"])

    assert (await decide(api, "nobody", "*")).status_code == 404
    assert (await decide(api, "any", "*")).status_code == 200


@pytest.mark.parametrize(
    ("lines", "strong", "weak"),
    [
        (['"a", "b"', 'W/"c"'], {'"a"', '"b"'}, {'"c"'}),
        (['"with,comma"'], {'"with,comma"'}, set()),
        (['""'], {'""'}, set()),
        ([',, "a",\t,'], {'"a"'}, set()),
        (['"\\"'], {'"\\"'}, set()),
    ],
)
def test_a_list_of_tags_is_read_by_the_rfc(lines: Sequence[str], strong: set[str], weak: set[str]) -> None:
    assert condition("If-Match", lines) == Condition(frozenset(strong), frozenset(weak))


def test_every_header_of_a_condition_and_every_tag_is_in_the_document() -> None:
    paths: dict[str, Any] = openapi_document()["paths"]
    read, decision = paths["/api/v1/jobs/{job_id}"]["get"], paths["/api/v1/jobs/{job_id}/decision"]["post"]

    def headers(call: dict[str, Any]) -> set[str]:
        return {one["name"] for one in call["parameters"] if one["in"] == "header"}

    assert headers(read) == {"if-none-match"}
    assert headers(decision) == {"x-request-id", "if-match"}
    for call, statuses in ((read, ("200", "304")), (decision, ("200", "412"))):
        assert all("ETag" in call["responses"][status]["headers"] for status in statuses)
        assert "400" in call["responses"]
