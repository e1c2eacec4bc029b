"""Ids as the OMA makes them from the names of VMs, through the VMA, the API, its lists and the command line."""

import csv
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.support.service import PATIENT, ServiceProcess

Capture = pytest.CaptureFixture[str]

JOB = "ctx-PhilB Test machine-20250909-113839"
ODD = "[red]100% größe+#? (3's) & :boom: ..\\日本語"
NAMES = [JOB, ODD, "plain-1"]


def context_of(job_id: str) -> str:
    return f"VM of {job_id}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve a job for each name, that runs under its own id, or under an export of the same name."""
    with SimulatedVMA() as vma:
        service = ServiceProcess(tmp_path_factory.mktemp("ids") / "data", vma.url, **PATIENT)
        service.start()
        for name, reports in zip(NAMES, ("job_id", "exports", "exports"), strict=True):
            vma.world.add_job(name, [name], progress=41.0, duration=36_000, reports=reports)
            service.register(name, name, vm_context_id=context_of(name))
            service.wait_for(name, state="replicating", vma_status="running")
        # In the log there is a restart, too.
        service.kill()
        service.start()
        for name in NAMES:
            service.wait_for(name, state="replicating", rule="still-running")
        yield service
        service.close()


def asked(capsys: Capture, service: ServiceProcess, *line: str) -> Any:
    assert main([*line, "--url", service.url, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def printed(capsys: Capture, service: ServiceProcess, *line: str) -> str:
    assert main([*line, "--url", service.url]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_a_job_is_found_at_its_address(served: ServiceProcess, name: str) -> None:
    address = f"/api/v1/jobs/{quote(name, safe='')}"

    job = served.get(address).json()

    assert (job["job_id"], job["vm_context_id"], job["volume_ids"]) == (name, context_of(name), [name])
    assert served.pages(f"{address}/events")[0]["data"]["vm_name"] == f"vm-of-{name}"
    assert served.get(f"{address}/diff", **{"from": 1, "to": 2}).json()["job_id"] == name
    assert served.get(f"/api/v1/polling/{quote(name, safe='')}").json()["job_id"] == name
    context = served.get(f"/api/v1/vm-contexts/{quote(context_of(name), safe='')}").json()
    assert (context["vm_context_id"], context["active_job"]) == (context_of(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_reports_and_an_operator_decides_at_its_address(served: ServiceProcess, name: str) -> None:
    reported = served.post(f"/api/v1/telemetry/backup/{quote(name, safe='')}", {"status": "in_progress"})
    unwilling = served.post(f"/api/v1/jobs/{quote(name, safe='')}/decision", {"outcome": "fail", "who": "mara"})

    assert (reported.status_code, reported.json()["applied"]) == (200, True)
    assert (unwilling.status_code, "body.why" in unwilling.json()["detail"]) == (422, True)


def test_a_job_that_is_not_there_is_named_and_its_address_is_one(served: ServiceProcess) -> None:
    found = served.get(f"/api/v1/jobs/{quote(f'{ODD}9', safe='')}")

    assert found.status_code == 404
    assert found.json()["detail"] == f"there is no job {ODD}9"
    assert httpx.URL(found.json()["instance"]).path == f"/api/v1/jobs/{ODD}9"
    assert " " not in found.json()["instance"]


@pytest.mark.parametrize("name", ["a/b", "..", "."])
def test_what_a_path_cannot_hold_is_at_no_address(served: ServiceProcess, name: str) -> None:
    assert served.get(f"/api/v1/jobs/{quote(name, safe='').replace('.', '%2E')}").status_code in {404, 422}


def test_lists_are_complete_and_in_order_page_by_page(served: ServiceProcess) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = served.get("/api/v1/jobs", limit=1, **cursor).json()
        seen += [job["job_id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_filters_find_what_is_of_a_job_or_a_vm_and_nothing_else(served: ServiceProcess, name: str) -> None:
    of_vm = served.get("/api/v1/jobs", vm_context_id=context_of(name)).json()["items"]
    by_job = served.pages("/api/v1/audit", job_id=name)
    by_vm = served.get("/api/v1/audit/export", vm_context_id=context_of(name), format="csv").text

    assert [job["job_id"] for job in of_vm] == [name]
    assert {entry["job_id"] for entry in by_job} == {name}
    assert {row["vm_context_id"] for row in csv.DictReader(by_vm.splitlines())} == {context_of(name)}


def test_the_stream_of_events_takes_and_sends_such_ids(served: ServiceProcess) -> None:
    query = {"job_id": ODD, "after": "0"}
    with httpx.stream("GET", f"{served.url}/api/v1/events/stream", params=query, timeout=10) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith("data: "))

    assert json.loads(data.removeprefix("data: "))["job_id"] == ODD


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_such_an_id(served: ServiceProcess, capsys: Capture, name: str) -> None:
    run = next(run["run_id"] for run in served.pages("/api/v1/recovery-runs") if run["jobs"] == len(NAMES))

    assert asked(capsys, served, "job", name)["job_id"] == name
    assert asked(capsys, served, "events", name)["items"][0]["type"] == "JobRegistered"
    assert asked(capsys, served, "diff", name, "1", "2")["job_id"] == name
    assert [job["job_id"] for job in asked(capsys, served, "jobs", "--vm-context", context_of(name))["items"]] == [name]
    assert {entry["job_id"] for entry in asked(capsys, served, "audit", "--job", name)["items"]} == {name}
    assert [job["job_id"] for job in asked(capsys, served, "replay", run, "--job", name)["items"]] == [name]
    assert name in {made["job_id"] for made in asked(capsys, served, "recover", "--dry-run")["decisions"]}


def test_tables_show_such_an_id_as_it_is_written(served: ServiceProcess, capsys: Capture) -> None:
    run = next(run["run_id"] for run in served.pages("/api/v1/recovery-runs") if run["jobs"] == len(NAMES))
    lines = (["jobs"], ["job", ODD], ["audit", "--job", ODD], ["recover", "--dry-run"], ["replay", run, "--job", ODD])
    for line in (*lines, ["diff", ODD, "1", "2"]):
        assert ODD in printed(capsys, served, *line), line
