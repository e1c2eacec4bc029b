"""The command line in this process, in a folder of its own, asking real services."""

from pathlib import Path

import pytest

from tests.support import logs


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, where no service runs by default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOB_RECOVERY_PORT", "9")
    logs.use(monkeypatch, tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "250")


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error, with nothing on standard output."""
    written = capsys.readouterr()
    lines = written.err.strip().splitlines()
    assert written.out == ""
    assert len(lines) == 1
    assert lines[0].startswith("job-recovery: ")
    return lines[0]
