"""Warnings when the service is assembled."""

import json
from pathlib import Path

import pytest

from adapters.event_log.sqlite import FIXED, weakness
from api.runtime.bootstrap import build
from api.runtime.logs import configure
from api.runtime.settings import Settings


@pytest.mark.parametrize(("version", "warned"), [((3, 40, 1), True), (FIXED, False)])
async def test_a_sqlite_that_can_lose_commits_causes_a_warning_at_the_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: tuple[int, ...],
    *,
    warned: bool,
) -> None:
    monkeypatch.setattr(weakness, "__defaults__", (version,))

    service = build(Settings(data_dir=tmp_path / "data"), configure("json", "info"))

    await service.close()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warnings = [(line["level"], line["why"]) for line in lines if line["event"] == "sqlite_not_trusted"]
    assert warnings == ([("warning", weakness(version))] if warned else [])
