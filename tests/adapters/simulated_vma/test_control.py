"""The world of a simulated VMA is scripted over HTTP, by another process."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA


@pytest.fixture
def scripted() -> Iterator[SimulatedVMA]:
    with SimulatedVMA(control_port=0) as running:
        yield running


def test_its_world_is_scripted_over_http_while_the_vma_itself_is_down(scripted: SimulatedVMA) -> None:
    control = httpx.Client(base_url=scripted.control_url or "", trust_env=False)

    added = control.post("/add_job", json={"job_id": "job-1", "volume_ids": ["a"], "progress": 20.0})
    down = control.post("/fault", json={"mode": "refuse"})

    assert (added.status_code, down.status_code) == (200, 200)
    assert control.get("/world").json()["job-1"]["truth"] == "running"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{scripted.url}/api/v1/health", trust_env=False)
    control.close()


@pytest.mark.parametrize(
    ("verb", "body", "says"),
    [
        ("explode", {}, "the verbs are: add_job"),
        ("finish", {"job_id": "job-9"}, "there is no job job-9"),
        ("add_job", {"job_id": "job-1", "volume_ids": ["a"], "colour": "red"}, "unknown field `colour`"),
        ("fault", {"mode": "sulk"}, "there is no fault 'sulk'"),
    ],
)
def test_a_script_that_is_wrong_is_told_what_is_wrong(
    scripted: SimulatedVMA, verb: str, body: dict[str, object], says: str
) -> None:
    response = httpx.post(f"{scripted.control_url}/{verb}", json=body, trust_env=False)

    assert response.status_code == 400
    assert says in response.json()["error"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"url": "/restart", "content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"url": "/restart", "data": {"a": "b"}}, 415),
        ({"url": "/restart"}, 415),
        ({"url": "/restart", "json": {}, "headers": {"Origin": "http://evil.example"}}, 403),
        ({"url": "/restart", "json": {}, "headers": {"Origin": "null"}}, 403),
        ({"url": "/restart", "json": {}, "headers": {"Host": "evil.example"}}, 403),
        ({"method": "GET", "url": "/world", "headers": {"Host": "evil.example:9082"}}, 403),
        ({"method": "GET", "url": "/world", "headers": {"Origin": "http://evil.example"}}, 403),
    ],
)
def test_what_a_web_page_can_send_changes_and_shows_nothing(
    scripted: SimulatedVMA, sent: dict[str, Any], code: int
) -> None:
    scripted.world.add_job("job-1", ["a"], progress=20.0)

    with httpx.Client(base_url=scripted.control_url or "", trust_env=False) as control:
        refused = control.request(**{"method": "POST", **sent})

    assert refused.status_code == code
    assert "job-1" not in refused.text
    assert scripted.world.jobs()["job-1"]["truth"] == "running"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_program_or_a_page_of_this_machine_scripts_it(scripted: SimulatedVMA, host: str) -> None:
    asked = f"{host}:{scripted.control_port}"
    for headers in ({"Host": asked}, {"Host": asked, "Origin": f"http://{asked}"}):
        done = httpx.post(f"{scripted.control_url}/clear_faults", json={}, headers=headers, trust_env=False)
        assert done.status_code == 200


def test_its_world_is_scripted_from_this_machine_only_wherever_it_listens() -> None:
    with SimulatedVMA(host="0.0.0.0", control_port=0) as vma, SimulatedVMA(host="127.0.0.2", control_port=0) as other:
        for running in (vma, other):
            assert running.control_url == f"http://127.0.0.1:{running.control_port}"
            assert httpx.get(f"{running.control_url}/world", trust_env=False).status_code == 200
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"http://127.0.0.2:{running.control_port}/world", trust_env=False)
        assert httpx.get(f"http://127.0.0.2:{vma.port}/api/v1/health", trust_env=False).status_code == 200


def test_every_verb_of_the_world_and_of_its_faults_is_there(scripted: SimulatedVMA) -> None:
    verbs = {name for name in dir(scripted.world) if not name.startswith("_")}
    listed = httpx.post(f"{scripted.control_url}/explode", json={}, trust_env=False).json()["error"]

    offered = set(listed.removeprefix("the verbs are: ").split(", "))

    assert offered == verbs - {"truth", "progress", "jobs", "update", "progress_of", "status_of"} | {
        "fault",
        "clear_faults",
    }


def test_a_worker_is_killed_contradicted_and_followed_by_one_without_changes(scripted: SimulatedVMA) -> None:
    def act(verb: str, **arguments: object) -> httpx.Response:
        return httpx.post(f"{scripted.control_url}/{verb}", json=arguments, trust_env=False).raise_for_status()

    def document() -> dict[str, object]:
        found: dict[str, object] = httpx.get(f"{scripted.url}/api/v1/progress/migration-vol-a", trust_env=False).json()
        return found

    act("add_job", job_id="job-1", volume_ids=["a"], progress=20.0)
    act("contradict", job_id="job-1")
    assert (document()["status"], document()["bytes_transferred"]) == ("completed", 0)

    act("say", job_id="job-1", percent=103.9)
    assert document()["percentage"] == 103.9

    act("kill", job_id="job-1")
    act("add_job", job_id="job-2", volume_ids=["a"], starts_in=1e9)
    act("run_zero_change", job_id="job-2", document="empty")
    assert (document()["sync_type"], document()["total_bytes"]) == ("incremental", 0)
    truths = httpx.get(f"{scripted.control_url}/world", trust_env=False).json()
    assert (truths["job-1"]["truth"], truths["job-2"]["truth"]) == ("gone", "completed")


def test_a_workers_report_is_made_for_whoever_sends_it(scripted: SimulatedVMA) -> None:
    scripted.world.add_job("job-1", ["a"], progress=20.0, duration=36_000)

    made = httpx.post(
        f"{scripted.control_url}/report_of", json={"job_id": "job-1", "form": "disks_by_index"}, trust_env=False
    )

    job_type, body = made.json()["result"]
    assert (job_type, body["disks"][0]["disk_index"]) == ("backup", 0)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(body["timestamp"])) < timedelta(minutes=1)


def test_faults_are_set_and_cleared_for_one_place_and_for_some_answers(scripted: SimulatedVMA) -> None:
    health = f"{scripted.url}/api/v1/health"
    fault = {"mode": "status", "place": "health", "times": 2, "code": 429, "headers": {"Retry-After": "5"}}
    httpx.post(f"{scripted.control_url}/fault", json=fault, trust_env=False).raise_for_status()

    limited = httpx.get(health, trust_env=False)
    httpx.post(f"{scripted.control_url}/clear_faults", json={"place": "health"}, trust_env=False).raise_for_status()

    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "5")
    assert httpx.get(health, trust_env=False).status_code == 200
