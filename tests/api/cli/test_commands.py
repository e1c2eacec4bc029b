"""The command line: exit codes, one line per error, tables and JSON from a real service."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.host.lease import Lease
from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support import logs
from tests.support.service import PATIENT, ServiceProcess


@pytest.mark.parametrize("line", [["dance"], [], ["job"], ["jobs", "--colour"], ["job", "../etc"]])
def test_bad_input_is_one_line_and_exit_code_2(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == 2
    complaint(capsys)


def test_a_wrong_setting_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JOB_RECOVERY_POLL_INTERVAL", "often")

    assert main(["serve"]) == 2
    assert "JOB_RECOVERY_POLL_INTERVAL" in complaint(capsys)


def test_other_machines_are_not_served_without_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_HOST", "0.0.0.0")

    assert main(["serve"]) == 2
    assert "job-recovery token create" in complaint(capsys)


@pytest.mark.parametrize("host", ["a" * 300, "nowhere.invalid"])
def test_a_service_at_an_invalid_host_does_not_answer(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--url", f"http://{host}:8082"]) == 1
    assert "does not answer" in complaint(capsys)


def test_no_service_is_exit_code_1_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs"]) == 1
    assert "is `job-recovery serve` running?" in complaint(capsys)


@pytest.mark.parametrize("command", ["serve", "rebuild"])
def test_a_held_data_directory_is_exit_code_3_and_says_who_holds_it(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.open_log(tmp_path / "data").close()
    (tmp_path / "data").mkdir(exist_ok=True)
    lease = Lease(tmp_path / "data")
    lease.acquire("oma-1")

    assert main([command]) == 3
    assert "is in use by oma-1" in complaint(capsys)
    lease.release()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve one running job."""
    with SimulatedVMA() as vma:
        vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
        service = ServiceProcess(tmp_path_factory.mktemp("served") / "data", vma.url, **PATIENT)
        service.start()
        service.register("job-1", "disk-1")
        service.wait_for("job-1", vma_status="running")
        yield service
        service.close()


def test_what_a_person_reads_and_what_a_program_reads_say_the_same(
    served: ServiceProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (["jobs"], ["job", "job-1"], ["events", "job-1"], ["recover", "--dry-run"]):
        assert main([*line, "--url", served.url]) == 0
        table = capsys.readouterr().out
        assert main([*line, "--url", served.url, "--json"]) == 0
        data = json.loads(capsys.readouterr().out)

        assert data
        assert {"jobs": "job-1", "job": "41.", "events": "JobRegistered", "recover": "still-running"}[line[0]] in table


def test_a_service_on_ipv6_is_found_by_its_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with SimulatedVMA() as vma, closing(ServiceProcess(tmp_path / "data", vma.url, HOST="::1")) as service:
        service.start()
        monkeypatch.setenv("JOB_RECOVERY_HOST", "::1")
        monkeypatch.setenv("JOB_RECOVERY_PORT", service.url.rpartition(":")[2].strip("/"))

        assert main(["jobs"]) == 0

    assert service.url.startswith("http://[::1]:")


def test_a_job_that_is_not_there_is_exit_code_4(served: ServiceProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["job", "job-9", "--url", served.url]) == 4
    assert "there is no job job-9" in complaint(capsys)


def test_an_invalid_filter_is_exit_code_2(served: ServiceProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--state", "asleep", "--url", served.url]) == 2
    assert "query.state" in complaint(capsys)


def test_rebuild_applies_the_event_log_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.open_log(tmp_path / "data").close()

    assert main(["rebuild"]) == 0
    assert capsys.readouterr().out.startswith("rebuilt the read model from 0 events of the event log ")


def test_rebuild_where_there_is_no_log_is_exit_code_4_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rebuild"]) == 4
    assert "there is no event log" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []
