"""A moment of the past: what the API printed, given back, shows the state that it was printed for."""

import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings

from api.http.views import job_view
from api.runtime.bootstrap import Service
from domain.events import Event
from domain.replication_job import ReplicationJob
from tests.support.builders import at
from tests.support.clock import FakeClock
from tests.support.past import Meanwhile, client_of, service_with, written_to
from tests.support.written import ANY_LOG, DAY, Written, log_of

LATE_WRITER: list[Written] = [
    ("job-1", 10.0),
    ("job-2", 6.0),
    ("job-1", 12.0),
    ("job-2", 8.0),
    ("job-3", 14.0),
    ("job-2", 10.0),
]
"""Two clocks, of which one is four seconds late."""

A_DAY_AHEAD: list[Written] = [("job-1", 1.0), ("job-1", DAY + 2), ("job-2", DAY + 3), ("job-1", 4.0), ("job-3", 5.0)]
"""One start with the clock a day ahead."""


async def answer(api: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    response = await api.get(path, params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def folded(log: list[Event], position: int, job_id: str) -> dict[str, Any]:
    """Return the view of a job that is folded from exactly this prefix of the log."""
    job = ReplicationJob.fold(None, [event for event in log[:position] if event.originator_id == job_id])
    assert job is not None
    return without_moment(msgspec.json.decode(msgspec.json.encode(job_view(job))))


def without_moment(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name != "as_of"}


async def check_every_event(api: httpx.AsyncClient, log: list[Event]) -> None:
    """Give back every printed time and every position, and compare the answers with the fold of the prefix."""
    for entry in (await answer(api, "/audit", order="oldest", limit=1000))["items"]:
        job_id, position = entry["job_id"], entry["position"]
        then = await answer(api, f"/jobs/{job_id}", at=entry["recorded_at"])
        exactly = await answer(api, f"/jobs/{job_id}", position=position)
        table = await answer(api, "/jobs", at=entry["recorded_at"])

        assert then["version"] >= entry["version"]
        assert then["as_of"]["position"] >= position
        assert without_moment(then) == folded(log, then["as_of"]["position"], job_id)
        assert without_moment(exactly) == folded(log, position, job_id)
        assert exactly["as_of"] == {"position": position, "time": entry["recorded_at"], "is_future": False}
        assert table["as_of"] == then["as_of"]
        assert then in table["items"]


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock an hour after noon."""
    clock = FakeClock()
    clock.advance(3600)
    return clock


@pytest.fixture
async def past(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Service]:
    async with service_with(log_of(*LATE_WRITER), tmp_path, clock) as service:
        yield service


@pytest.fixture
async def api(past: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(past) as client:
        yield client


@pytest.mark.parametrize("written", [LATE_WRITER, [(job, -s) for job, s in LATE_WRITER], A_DAY_AHEAD])
async def test_a_time_that_was_printed_for_an_event_shows_the_state_with_it(
    tmp_path: Path, clock: FakeClock, written: list[Written]
) -> None:
    log = log_of(*written)

    async with service_with(log, tmp_path, clock) as service, client_of(service) as api:
        await check_every_event(api, log)


@settings(max_examples=8, deadline=None)
@given(written=ANY_LOG)
async def test_of_any_log_every_printed_time_shows_the_state_with_its_event(written: list[Written]) -> None:
    log, clock = log_of(*written), FakeClock()

    with tempfile.TemporaryDirectory() as folder:
        async with service_with(log, Path(folder), clock) as service, client_of(service) as api:
            await check_every_event(api, log)


async def test_one_start_with_the_clock_a_day_ahead_hides_nothing_afterwards(tmp_path: Path, clock: FakeClock) -> None:
    async with service_with(log_of(*A_DAY_AHEAD), tmp_path, clock) as service, client_of(service) as api:
        now = at(5).isoformat()
        jobs = (await answer(api, "/jobs", at=now))["items"]
        audit = (await answer(api, "/audit", order="oldest", to=now))["items"]
        job = await answer(api, "/jobs/job-3", at=now)

    assert [(job["job_id"], job["version"]) for job in jobs] == [("job-1", 3), ("job-2", 1), ("job-3", 1)]
    assert [entry["position"] for entry in audit] == [1, 4, 5]
    assert job["version"] == 1


async def test_a_time_after_now_is_told_as_such_and_now_is_not(api: httpx.AsyncClient, clock: FakeClock) -> None:
    now = clock.now().isoformat(timespec="microseconds")
    later = (clock.now() + timedelta(microseconds=1)).isoformat(timespec="microseconds")

    for path in ("/jobs", "/jobs/job-1"):
        assert [(await answer(api, path, at=time))["as_of"]["is_future"] for time in (now, later)] == [False, True]
        assert (await answer(api, path, at=later))["as_of"]["position"] == len(LATE_WRITER)
        assert (await answer(api, path))["as_of"] is None


async def test_a_position_that_is_still_to_come_is_told_like_a_time(api: httpx.AsyncClient) -> None:
    head = len(LATE_WRITER)

    for path in ("/jobs", "/jobs/job-1"):
        last, beyond = [(await answer(api, path, position=position))["as_of"] for position in (head, head + 1)]
        assert (last["position"], last["is_future"]) == (head, False)
        assert (beyond["position"], beyond["is_future"]) == (head, True)


async def test_a_position_that_is_reached_while_it_is_answered_was_still_to_come(
    tmp_path: Path, clock: FakeClock
) -> None:
    first, second = log_of(("job-1", 0.0), ("job-1", 1.0))

    async with service_with([first], tmp_path, clock) as service:
        racing = msgspec.structs.replace(service, trail=Meanwhile(service, second))
        async with client_of(racing) as api:
            then = (await answer(api, "/jobs", position=2))["as_of"]
            later = (await answer(api, "/jobs", position=2))["as_of"]

    assert [(one["position"], one["is_future"]) for one in (then, later)] == [(1, True), (2, False)]


TO_COME = ["2100-01-01", "position:999"]


@pytest.mark.parametrize("one", TO_COME)
@pytest.mark.parametrize("other", TO_COME)
async def test_two_moments_of_one_answer_are_of_one_state_of_the_log(
    tmp_path: Path, clock: FakeClock, one: str, other: str
) -> None:
    """An event that is stored while they are looked up is after both, also one that a late clock recorded."""
    log = log_of(("job-1", 0.0), ("job-1", 2.0), ("job-1", 1.0))
    name, _, number = one.rpartition(":")
    asked = [
        ("/jobs/job-1", {name or "at": number, "as_known": other}, ("as_of", "as_known")),
        ("/jobs/job-1/diff", {"from": one, "to": other}, ("from_as_of", "to_as_of")),
    ]

    for folder, (path, query, moments) in zip("ab", asked, strict=True):
        async with service_with(log[:2], tmp_path / folder, clock) as service:
            racing = msgspec.structs.replace(service, trail=Meanwhile(service, log[2]))
            async with client_of(racing) as api:
                shown = [await answer(api, path, **query) for _ in range(2)]

        assert [[view[moment]["position"] for moment in moments] for view in shown] == [[2, 2], [3, 3]]


async def test_what_was_known_by_a_position_includes_its_event(tmp_path: Path, clock: FakeClock) -> None:
    log = log_of(("job-1", 0.0), ("job-2", 1.0), ("job-1", 2.0))

    async with service_with(log, tmp_path, clock) as service, client_of(service) as api:
        known = [
            (await answer(api, "/jobs/job-1", version=1, as_known=f"position:{n}"))["hindsight"]["known"]
            for n in (1, 2, 3)
        ]

    assert known == ["unknown", "unknown", "running"]


async def test_an_empty_page_says_which_moment_it_is_of(api: httpx.AsyncClient) -> None:
    before = await answer(api, "/jobs", position=0)
    long_ago = await answer(api, "/jobs", at="2001-01-01")

    assert (before["items"], before["as_of"]) == ([], {"position": 0, "time": None, "is_future": False})
    assert (long_ago["items"], long_ago["as_of"]["position"]) == ([], 0)
    assert long_ago["as_of"]["time"] == "2001-01-01T23:59:59.999999Z"


async def test_the_answer_names_a_time_in_utc_as_precisely_as_it_was_written(api: httpx.AsyncClient) -> None:
    written = {
        "2025-10-03T14:00:10+02:00": "2025-10-03T12:00:10.999999Z",
        "2025-10-03T14:00:10 02:00": "2025-10-03T12:00:10.999999Z",
        "2025-10-03T12:00:10.000Z": "2025-10-03T12:00:10.000999Z",
        "2025-10-03": "2025-10-03T23:59:59.999999Z",
    }
    for time, named in written.items():
        assert (await answer(api, "/jobs", at=time))["as_of"]["time"] == named


MOMENTS = [{"at": "2100-01-01"}, {"at": at(14).isoformat()}, {"position": 6}, {"position": 999}]
BESIDE_A_CURSOR = [None, {}, {"at": "2100-06-01"}, {"at": "2001-01-01"}, {"position": 1}, {"position": 7}]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("beside", BESIDE_A_CURSOR)
async def test_all_pages_of_the_past_are_of_the_moment_of_the_first(
    past: Service, api: httpx.AsyncClient, moment: dict[str, Any], beside: dict[str, Any] | None
) -> None:
    """Events come in between, also by an early clock. Beside the cursor is no moment, the same one, or another one."""
    whole = await answer(api, "/jobs", **moment)
    page = await answer(api, "/jobs", **moment, limit=1)
    pages = [page]
    events = log_of(*LATE_WRITER, ("job-0", 20.0), ("job-2", -DAY), ("job-3", 21.0), ("job-4", 22.0))

    await written_to(past, events[len(LATE_WRITER) :])
    while page["next_cursor"]:
        repeated = moment if beside is None else beside
        page = await answer(api, "/jobs", **repeated, limit=1, cursor=page["next_cursor"])
        pages.append(page)

    shown = [without_moment(job) for page in pages for job in page["items"]]
    assert shown == [without_moment(job) for job in whole["items"]]
    assert [job["job_id"] for job in shown] == ["job-1", "job-2", "job-3"]
    assert whole["as_of"]["position"] == len(LATE_WRITER)
    assert [page["as_of"] for page in pages] == [whole["as_of"]] * 3
    assert all(job["as_of"] == whole["as_of"] for page in pages for job in page["items"])


async def test_a_list_that_is_begun_again_is_of_its_own_moment(past: Service, api: httpx.AsyncClient) -> None:
    first = await answer(api, "/jobs", position=999, limit=1)
    await written_to(past, log_of(*LATE_WRITER, ("job-2", 20.0))[len(LATE_WRITER) :])
    again = await answer(api, "/jobs", position=7, limit=1)

    rest = [(await answer(api, "/jobs", cursor=page["next_cursor"]))["as_of"] for page in (first, again)]

    assert rest == [first["as_of"], again["as_of"]]
    assert [(then["position"], then["is_future"]) for then in rest] == [(6, True), (7, False)]


@pytest.mark.parametrize("time", ["0" * 16, "7" + "f" * 15])
async def test_a_cursor_with_any_time_is_answered_within_the_bounds_of_times(api: httpx.AsyncClient, time: str) -> None:
    first = (await answer(api, "/jobs", position=6, limit=1))["next_cursor"].split(".")

    page = await answer(api, "/jobs", cursor=".".join([*first[:2], time, *first[3:]]))

    assert page["as_of"]["time"] == (None if time.startswith("0") else "9000-01-01T00:00:00Z")
    assert len(page["items"]) == 2


async def test_a_cursor_of_the_release_before_is_refused(api: httpx.AsyncClient) -> None:
    position, digest, *_, last = (await answer(api, "/jobs", position=6, limit=1))["next_cursor"].split(".")

    before = await api.get("/jobs", params={"cursor": f"{position}.{digest}.{last}"})

    assert (before.status_code, "query.cursor" in before.json()["detail"]) == (422, True)


async def test_a_cursor_of_past_jobs_is_refused_by_the_list_of_vm_contexts_which_has_no_past(
    api: httpx.AsyncClient,
) -> None:
    of_jobs = (await answer(api, "/jobs", position=6, limit=1))["next_cursor"]
    of_an_id = of_jobs.rpartition(".")[2]

    refused = await api.get("/vm-contexts", params={"cursor": of_jobs})
    accepted = await api.get("/vm-contexts", params={"cursor": of_an_id})

    assert (refused.status_code, "query.cursor" in refused.json()["detail"]) == (422, True)
    assert accepted.status_code == httpx.codes.OK


async def test_pages_of_the_present_show_the_present(past: Service, api: httpx.AsyncClient) -> None:
    first = await answer(api, "/jobs", limit=1)

    await written_to(past, log_of(*LATE_WRITER, ("job-2", 20.0))[len(LATE_WRITER) :])
    second = await answer(api, "/jobs", limit=1, cursor=first["next_cursor"])

    assert [(job["job_id"], job["version"]) for job in second["items"]] == [("job-2", 4)]
    assert second["as_of"] is None


async def test_a_diff_takes_versions_positions_and_times_for_both_ends(api: httpx.AsyncClient) -> None:
    begins = ["1", "position:2", "position:3", at(6).isoformat()]
    ends = ["3", "position:6", "position:999", "2025-10-03"]

    found = [await answer(api, "/jobs/job-2/diff", **{"from": begin, "to": end}) for begin in begins for end in ends]

    assert {(one["from_version"], one["to_version"]) for one in found} == {(1, 3)}
    assert all(one["changes"] == found[0]["changes"] != [] for one in found)
    assert [one["from_as_of"]["position"] for one in found[:: len(ends)]] == [2, 2, 3, 2]
    assert [one["to_as_of"]["is_future"] for one in found[: len(ends)]] == [False, False, True, True]


@pytest.mark.parametrize("moment", [{"at": at(10).isoformat()}, {"position": 6}, {"version": 2}])
async def test_hindsight_is_of_any_moment_and_known_by_a_time_or_a_position(
    api: httpx.AsyncClient, moment: dict[str, Any]
) -> None:
    by_time = await answer(api, "/jobs/job-1", **moment, as_known=at(14).isoformat())
    by_position = await answer(api, "/jobs/job-1", **moment, as_known="position:6")
    too_early = await answer(api, "/jobs/job-1", **moment, as_known="position:1")

    assert by_time["hindsight"] == by_position["hindsight"]
    assert by_time["hindsight"]["known"] == "running"
    assert too_early["hindsight"]["known"] == "unknown"


async def test_a_version_names_its_own_position_and_time(api: httpx.AsyncClient) -> None:
    second = await answer(api, "/jobs/job-2", version=2)

    assert second["as_of"]["position"] == 4
    assert datetime.fromisoformat(second["as_of"]["time"]) == at(8)


@pytest.mark.parametrize("moment", [{"at": at(10).isoformat()}, {"position": 6}, {"version": 2}])
async def test_an_answer_says_up_to_what_it_knows_and_only_one_that_was_asked_for_it(
    past: Service, api: httpx.AsyncClient, moment: dict[str, Any]
) -> None:
    plain = await answer(api, "/jobs/job-1", **moment)
    by_position = await answer(api, "/jobs/job-1", **moment, as_known="position:5")
    by_time = await answer(api, "/jobs/job-1", **moment, as_known="2100-01-01")
    await written_to(past, log_of(*LATE_WRITER, ("job-3", 20.0))[len(LATE_WRITER) :])
    later = await answer(api, "/jobs/job-1", **moment, as_known="2100-01-01")

    end = "2100-01-01T23:59:59.999999Z"
    assert by_position["as_known"] == (await answer(api, "/jobs", position=5))["as_of"]
    assert by_time["as_known"] == {"position": len(LATE_WRITER), "time": end, "is_future": True}
    assert later["as_known"] == by_time["as_known"] | {"position": len(LATE_WRITER) + 1}
    assert plain["as_known"] is (await answer(api, "/jobs/job-1"))["as_known"] is None
    assert plain["as_of"] == by_position["as_of"] == by_time["as_of"]
    assert all(job["as_known"] is None for job in (await answer(api, "/jobs", position=6))["items"])


async def test_without_a_moment_the_job_is_that_of_the_moment_up_to_which_it_is_known(api: httpx.AsyncClient) -> None:
    known = await answer(api, "/jobs/job-1", as_known="position:3")

    assert known["as_known"] == known["as_of"] == (await answer(api, "/jobs", position=3))["as_of"]
    assert known["hindsight"] is not None
