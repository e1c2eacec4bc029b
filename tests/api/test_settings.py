"""A wrong setting ends the start with one line that names it."""

from pathlib import Path

import pytest

from api.settings import load_settings
from domain.errors import InvalidInput


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_defaults_are_the_published_ones() -> None:
    settings = load_settings()

    assert (settings.host, settings.port, settings.vma_url) == ("127.0.0.1", 8082, "http://localhost:9081")
    assert (settings.poll_interval, settings.probe_timeout, settings.probe_concurrency) == (5, 5, 64)
    assert (settings.retry_backoff_initial, settings.retry_backoff_max) == (5, 60)
    assert (settings.stale_after, settings.stalled_after, settings.reconcile_for) == (30, 900, 86_400)
    assert settings.vma_urls == {"default": "http://localhost:9081"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("POLL_INTERVAL", "0"),
        ("POLL_INTERVAL", "nan"),
        ("UNREACHABLE_TIMEOUT", "inf"),
        ("COMPLETE_ABOVE_PERCENT", "150"),
        ("CONFIRMATION_PROBES", "0"),
        ("VMA_URL", "gopher://x"),
        ("VMA_URL", ""),
        ("VMA_URL", "http://localhost:9081/?tenant=a"),
        ("VMA_URL", "http://localhost:9081/#top"),
        ("SQLITE_SYNCHRONOUS", "OFF"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"JOB_RECOVERY_{name}", value)

    with pytest.raises(InvalidInput, match=f"^JOB_RECOVERY_{name}: ") as refused:
        load_settings()

    assert "\n" not in str(refused.value)


def test_a_toml_file_is_read_and_the_environment_wins(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "job-recovery.toml").write_text('port = 9000\nhost = "::1"\n[vmas]\nsecond = "http://vma-2:9081"\n')
    monkeypatch.setenv("JOB_RECOVERY_PORT", "9001")

    settings = load_settings()

    assert (settings.port, settings.host) == (9001, "::1")
    assert settings.vma_urls["second"] == "http://vma-2:9081"


def test_a_file_that_is_named_and_missing_or_malformed_is_refused(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "missing.toml")
    with pytest.raises(InvalidInput, match="JOB_RECOVERY_CONFIG: there is no file missing"):
        load_settings()

    (elsewhere / "bad.toml").write_text("port = = 1")
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "bad.toml")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_settings()


def test_an_unknown_name_in_the_file_is_refused(elsewhere: Path) -> None:
    (elsewhere / "job-recovery.toml").write_text("prot = 9000\n")

    with pytest.raises(InvalidInput, match="JOB_RECOVERY_PROT"):
        load_settings()
