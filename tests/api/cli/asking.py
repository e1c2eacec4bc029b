"""Asks a service about a restart by the command line."""

import json
from typing import Any

import pytest

from api.cli.main import main
from tests.support.service import ServiceProcess

Capture = pytest.CaptureFixture[str]


def runs_of(service: ServiceProcess) -> list[dict[str, Any]]:
    return service.pages("/api/v1/recovery-runs")


def run_of(service: ServiceProcess) -> str:
    """Return the run that followed the kill."""
    return str(next(run["run_id"] for run in runs_of(service) if run["jobs"] == 3))


def asked(capsys: Capture, service: ServiceProcess, *line: str, code: int = 0) -> Any:
    assert main([*line, "--url", service.url, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def printed(capsys: Capture, service: ServiceProcess, *line: str) -> str:
    assert main([*line, "--url", service.url]) == 0
    return capsys.readouterr().out
