"""A live stream goes on exactly where its client stopped, or says that the log has no such place."""

import json
from typing import Any

import httpx
import pytest

from tests.restart.conftest import StartService
from tests.support import logs
from tests.support.service import ServiceProcess

BEGINNING = {"after": "0"}


def read(service: ServiceProcess, count: int, last: str | None = None, **query: str) -> list[dict[str, Any]]:
    """Return the first events of a stream, each with its id, its type and its data."""
    found: list[dict[str, Any]] = []
    headers, url = {} if last is None else {"Last-Event-ID": last}, f"{service.url}/api/v1/events/stream"
    with httpx.stream("GET", url, headers=headers, params=query, timeout=20, trust_env=False) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        while len(found) < count:
            one = dict(part.partition(": ")[::2] for part in iter(lambda: next(lines), "") if not part.startswith(":"))
            if "data" in one:
                found.append({**one, "data": json.loads(one["data"])})
    return found


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["id"] for event in events]


def with_jobs(service: ServiceProcess, *names: str) -> list[dict[str, Any]]:
    """Register jobs that no VMA knows, which stores two events for each; return all events."""
    for name in names:
        service.register(name, f"disk-{name}")
    return read(service, len(service.pages("/api/v1/audit")), **BEGINNING)


@pytest.fixture
def service(start_service: StartService) -> ServiceProcess:
    """Serve jobs that store no event by themselves for as long as a test takes."""
    return start_service(POLL_INTERVAL="3600")


def test_a_stream_that_is_resumed_at_each_event_gives_the_rest_each_once(service: ServiceProcess) -> None:
    everything = with_jobs(service, "a", "b", "c")
    assert [event["data"]["position"] for event in everything] == list(range(1, len(everything) + 1))

    for number, last in enumerate(ids(everything)[:-1], start=1):
        rest = everything[number:]
        assert read(service, len(rest), last) == rest
        assert read(service, len(rest), after=last) == rest
        assert read(service, len(rest), after=str(number)) == rest


def test_of_both_after_and_last_event_id_the_latter_counts(service: ServiceProcess) -> None:
    everything = with_jobs(service, "a", "b")
    first, third = ids(everything)[0], ids(everything)[2]

    assert ids(read(service, 1, last=third, after=first)) == ids(everything)[3:4]
    assert ids(read(service, 1, last=first, after=third)) == ids(everything)[1:2]
    assert ids(read(service, 1, last="1", after="999999")) == ids(everything)[1:2]


def test_an_id_beyond_the_end_of_the_log_is_told_and_the_stream_goes_on_from_the_end(service: ServiceProcess) -> None:
    before = with_jobs(service, "a")
    head = before[-1]["data"]["position"]

    resets = [read(service, 1, last)[0] for last in ("999999", f"{head + 1}.00000000")]
    after = with_jobs(service, "b")

    for reset in resets:
        assert (reset["event"], reset["id"], reset["data"]["position"]) == ("reset", ids(before)[-1], head)
        assert f"the log ends at position {head} and has no event " in reset["data"]["why"]
        assert "GET /api/v1/audit" in reset["data"]["why"]
        assert read(service, len(after) - len(before), reset["id"]) == after[len(before) :]


def test_an_id_of_a_log_that_a_backup_has_replaced_is_told_though_the_new_log_is_longer(
    service: ServiceProcess,
) -> None:
    common = with_jobs(service, "a")
    service.terminate()
    logs.back_up(service.data_dir)
    service.start()
    lost = with_jobs(service, "b")
    service.terminate()
    logs.restore(service.data_dir)
    service.start()

    present = with_jobs(service, "c", "d", "e")

    head = present[-1]["data"]["position"]
    assert ids(present)[: len(common)] == ids(common)
    assert len(present) > len(lost)
    for event in lost[len(common) :]:
        (reset,) = read(service, 1, event["id"])
        assert reset["event"] == "reset"
        assert int(reset["id"].partition(".")[0]) == reset["data"]["position"] >= head
        assert f"another event than {event['id']}" in reset["data"]["why"]
    assert read(service, 1, ids(common)[-1]) == present[len(common) : len(common) + 1]


def test_a_streamed_event_is_the_event_of_the_audit_trail(service: ServiceProcess) -> None:
    streamed = with_jobs(service, "a")

    assert [event["data"] for event in streamed] == service.pages("/api/v1/audit", order="oldest")
