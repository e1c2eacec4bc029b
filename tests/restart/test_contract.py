"""The API does what its OpenAPI document says, whatever is sent: schemathesis, all checks, with and without tokens."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.restart.conftest import StartService
from tests.support.service import ServiceProcess


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> list[str]:
    """Return how long to look: the short form tries every operation, the long one everything schemathesis has."""
    if request.config.getoption("--long"):
        return ["--max-examples", "100"]
    return ["--max-examples", "3", "--phases", "examples,fuzzing"]


def contract_holds(service: ServiceProcess, folder: Path, options: list[str]) -> None:
    """Run schemathesis against a service; its report is the failure's message."""
    program = Path(sys.executable).with_name("schemathesis")
    line = [str(program), "run", f"{service.url}/openapi.json", "--checks", "all", "--continue-on-failure", *options]
    line += ["--suppress-health-check", "all", "--warnings", "off", "--no-color"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    assert done.returncode == 0, done.stdout


def test_an_open_service_keeps_to_its_document(
    start_service: StartService, vma: SimulatedVMA, tmp_path: Path, thorough: list[str]
) -> None:
    contract_holds(start_service(RATE_LIMIT="0"), tmp_path, thorough)


def test_a_service_with_tokens_keeps_to_its_document(
    start_service: StartService,
    vma: SimulatedVMA,
    tmp_path: Path,
    thorough: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = start_service(RATE_LIMIT="0")
    monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(service.data_dir))
    assert main(["token", "create", "tester", "--scope", "admin"]) == 0
    secret = capsys.readouterr().out.strip()

    contract_holds(service, tmp_path, [*thorough, "--header", f"Authorization: Bearer {secret}"])
