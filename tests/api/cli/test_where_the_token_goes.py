"""The caller's token goes to the service that the caller names, and to no address from the working directory."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support import logs

Capture = pytest.CaptureFixture[str]

ELSEWHERE = "127.0.0.2"
ASKING = [
    ["jobs"],
    ["job", "job-1"],
    ["events", "job-1"],
    ["runs"],
    ["register", "job-1", "--vm-name", "vm", "--volume", "disk-1"],
    ["decide", "job-1", "fail", "--why", "gone", "--who", "mara"],
    ["recover"],
    ["audit"],
    ["audit", "--export", "csv"],
    ["diff", "job-1", "1", "2"],
    ["replay", "run-1"],
    ["replay", "run-1", "--export", "run.ndjson"],
    ["what-if"],
    ["compare", "run-1", "run-2"],
]


class Eavesdropper(ThreadingHTTPServer):
    """Keeps the tokens that it is sent."""

    tokens: list[str | None]


class _RecordsTokens(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Eavesdropper)
        self.server.tokens.append(self.headers["Authorization"])
        self.send_error(404)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def eavesdropper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Eavesdropper]:
    """Listen at an address of this machine where no service is, on the port of the settings."""
    with socket.socket() as held:
        # Held and not listened at, so that no service of another test is there.
        held.bind(("127.0.0.1", 0))
        server = Eavesdropper((ELSEWHERE, held.getsockname()[1]), _RecordsTokens)
        server.tokens = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("JOB_RECOVERY_PORT", str(server.server_port))
        monkeypatch.setenv("JOB_RECOVERY_TOKEN", "a-secret")
        yield server
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("line", ASKING, ids=" ".join)
def test_no_file_of_the_working_directory_says_where_the_token_is_sent(
    line: list[str], tmp_path: Path, eavesdropper: Eavesdropper, capsys: Capture
) -> None:
    (tmp_path / "job-recovery.toml").write_text(f'host = "{ELSEWHERE}"\n')

    assert main(line) == 1

    assert eavesdropper.tokens == []
    assert "http://127.0.0.1:" in complaint(capsys)


def test_a_file_that_the_caller_names_says_where_the_service_is(
    tmp_path: Path, eavesdropper: Eavesdropper, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(f'host = "{ELSEWHERE}"\n')
    monkeypatch.setenv("JOB_RECOVERY_CONFIG", "mine.toml")

    assert main(["jobs"]) == 1

    assert eavesdropper.tokens == ["Bearer a-secret"]


def test_the_environment_says_where_the_service_is(eavesdropper: Eavesdropper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_HOST", ELSEWHERE)

    assert main(["jobs"]) == 1

    assert eavesdropper.tokens == ["Bearer a-secret"]


def test_a_command_on_the_data_directory_reads_the_file_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("JOB_RECOVERY_DATA_DIR")
    (tmp_path / "job-recovery.toml").write_text('data_dir = "named"\n')
    for name in ("named", "data"):  # On PostgreSQL, the log is that of the environment.
        logs.open_log(tmp_path / name).close()

    assert main(["token", "create", "mara", "--scope", "read"]) == 0
    assert main(["rebuild"]) == 0
    assert main(["verify"]) == 0

    assert (tmp_path / "named" / "tokens.json").exists()
    assert "0 events verified" in capsys.readouterr().out
