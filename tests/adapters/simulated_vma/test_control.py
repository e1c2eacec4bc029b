"""The world of a simulated VMA is scripted over HTTP, by another process."""

from collections.abc import Iterator

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
