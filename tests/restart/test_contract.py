"""The API conforms to its OpenAPI document: schemathesis, all checks, with and without tokens."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.restart.conftest import StartService
from tests.support import logs
from tests.support.service import ServiceProcess


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> list[str]:
    """Return the options of the short form, which tries every operation, or of the long form with all phases."""
    if request.config.getoption("--long"):
        return ["--max-examples", "100"]
    return ["--max-examples", "3", "--phases", "examples,fuzzing"]


ANSWERS = '"2xx", "3xx", "400", "401", "403", "404", "409", "429", "5xx"'
"""The statuses of valid requests. 400: the URL of many long filters has more than 16 kB."""

CONFIG = f"""
[checks.positive_data_acceptance]
# 412: the tag is of another version.
expected-statuses = [{ANSWERS}, "412"]

[[operations]]
include-name = ["GET /api/v1/jobs", "GET /api/v1/jobs/{{job_id}}"]
# 422: of `at`, `position` and `version` two are given, which OpenAPI cannot forbid.
checks.positive_data_acceptance.expected-statuses = [{ANSWERS}, "422"]

[[operations]]
include-name = "GET /api/v1/recovery-runs/what-if"
# 422: `from` is after `to`, or the numbers of the policy do not fit each other, which OpenAPI cannot forbid.
checks.positive_data_acceptance.expected-statuses = [{ANSWERS}, "422"]

[[operations]]
# The response has no end, for which the checks would wait.
include-name = "GET /api/v1/events/stream"
enabled = false
"""


def check_contract(service: ServiceProcess, folder: Path, options: list[str]) -> None:
    """Run schemathesis against a service; its report is the failure's message."""
    program = Path(sys.executable).with_name("schemathesis")
    (folder / "schemathesis.toml").write_text(CONFIG)
    line = [str(program), "run", f"{service.url}/openapi.json", "--checks", "all", "--continue-on-failure", *options]
    line += ["--suppress-health-check", "all", "--warnings", "off", "--no-color"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    assert done.returncode == 0, done.stdout


def test_a_service_without_tokens_conforms_to_its_document(
    start_service: StartService, vma: SimulatedVMA, tmp_path: Path, thorough: list[str]
) -> None:
    check_contract(start_service(RATE_LIMIT="0"), tmp_path, thorough)


def test_a_service_with_tokens_conforms_to_its_document(
    start_service: StartService,
    vma: SimulatedVMA,
    tmp_path: Path,
    thorough: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = start_service(RATE_LIMIT="0")
    logs.use(monkeypatch, service.data_dir)
    assert main(["token", "create", "tester", "--scope", "admin"]) == 0
    secret = capsys.readouterr().out.strip()

    check_contract(service, tmp_path, [*thorough, "--header", f"Authorization: Bearer {secret}"])
