"""A service that cannot start, or is interrupted, gives the reason in one line."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support import logs
from tests.support.service import IMPORTING, ServiceProcess, wait_until

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def with_a_job(tmp_path: Path) -> Iterator[Path]:
    """Return the data directory of a service that had one job."""
    with SimulatedVMA() as vma:
        vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
        service = ServiceProcess(tmp_path / "data", vma.url)
        service.start()
        service.register("job-1", "disk-1")
        service.wait_for("job-1", vma_status="running")
        service.terminate()
        yield service.data_dir
        service.close()


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **logs.environment_of(tmp_path / "data"), "JOB_RECOVERY_PORT": "0"}


def serve(tmp_path: Path) -> tuple[int, str]:
    """Run `serve` to its end; return its exit code and what it wrote to standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "api", "serve"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=IMPORTING,
        check=False,
    )
    return done.returncode, done.stderr


IMPORTS = """
import sys
from api.cli.running import leave_out_what_is_not_needed
leave_out_what_is_not_needed()
import api.http.server, api.runtime.logs
print(*(name for name, module in sys.modules.items() if module is not None))
"""


def test_a_start_imports_nothing_that_only_some_settings_or_commands_need() -> None:
    optional = {"rich", "pygments", "pydantic.v1", "psycopg", "pymysql", "opentelemetry.sdk", "api.cli.tables"}

    loaded = set(subprocess.check_output([sys.executable, "-c", IMPORTS], text=True).split())  # noqa: S603 - our own

    assert loaded & {*optional, "httpx", "fastapi"} == {"httpx", "fastapi"}


@pytest.mark.of_files("has tokens in a file")
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_tokens_that_cannot_be_read_end_the_start_before_anybody_can_call(
    tmp_path: Path, host: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tokens.json").write_text("{")
    monkeypatch.setenv("JOB_RECOVERY_HOST", host)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setenv("JOB_RECOVERY_PORT", str(taken.getsockname()[1]))

        assert main(["serve"]) == 1

    assert "tokens.json cannot be read" in complaint(capsys)


@pytest.mark.parametrize("host", ["a" * 300, "é" * 70])
def test_an_invalid_host_is_exit_code_2(host: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_HOST", host)

    assert main(["serve"]) == 2
    assert "JOB_RECOVERY_HOST: " in complaint(capsys)


@pytest.mark.parametrize("name", ["HOST", "DATA_DIR", "VMA_CA_FILE"])
@pytest.mark.parametrize("command", ["serve", "jobs"])
def test_an_empty_value_is_exit_code_2(
    name: str, command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"JOB_RECOVERY_{name}", "")

    assert main([command]) == 2
    assert complaint(capsys) == f"job-recovery: JOB_RECOVERY_{name}: It is empty: set a value, or unset it"


@pytest.mark.parametrize("data_dir", ["file", "file/data", "file/a/b", "link"])
@pytest.mark.parametrize("command", [["serve"], ["token", "list"], ["token", "create", "mara", "--scope", "read"]])
def test_a_file_instead_of_the_data_directory_is_exit_code_2_and_stays_as_it_is(
    data_dir: str, command: list[str], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to("file")
    monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(tmp_path / data_dir))

    assert main(command) == 2
    named = tmp_path / data_dir.partition("/")[0]
    assert complaint(capsys) == f"job-recovery: JOB_RECOVERY_DATA_DIR: {named} is not a directory"
    assert (tmp_path / "file").read_text() == "kept"


def test_a_link_to_a_data_directory_that_may_come_later_is_exit_code_1(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("not-mounted-yet")
    monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(tmp_path / "link"))

    assert main(["serve"]) == 1
    assert "the data directory" in complaint(capsys)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "Check that the name is right, and that this machine can resolve it"),
        ("192.0.2.1", "Cannot assign requested address. Bring this address up, or set one of this machine"),
    ],
)
def test_an_address_that_this_machine_may_get_later_is_exit_code_1(
    host: str, says: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_HOST", host)
    monkeypatch.setenv("JOB_RECOVERY_AUTH", "tokens")

    assert main(["serve"]) == 1
    assert says in complaint(capsys)


def test_a_port_that_another_program_uses_is_exit_code_1(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("JOB_RECOVERY_PORT", str(port))

        assert main(["serve"]) == 1

    said = complaint(capsys)
    assert f"cannot listen at http://127.0.0.1:{port}: Address already in use. Stop the program that uses it" in said


WHILE_LOADING = """
import signal, sys
from api.__main__ import run

at, sys.argv = sys.argv[1], ["job-recovery", "serve"]

class PressesCtrlC:
    def find_spec(self, name, *_):
        if name == at:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise ValueError("as pydantic does of it") from None

sys.meta_path.insert(0, PressesCtrlC())
sys.exit(run())
"""


@pytest.mark.parametrize("module", ["api.cli.main", "pydantic_settings", "api.http.server", "uvicorn"])
def test_ctrl_c_while_it_loads_ends_it_and_is_no_traceback(module: str, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", WHILE_LOADING, module],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=IMPORTING,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.fixture
def usual_sighup() -> Iterator[None]:
    """Have processes that the test starts end by SIGHUP, which `serve` in this process ignores from then on."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("usual_sighup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_demo_with_its_service_and_its_data(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "api", "demo"],
        env={**environment(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = wait_until(lambda: address_in(tmp_path), IMPORTING, "the demo's service")

    demo.send_signal(number)
    _, output = demo.communicate(timeout=IMPORTING)

    assert (demo.returncode, output) == (130, "")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/livez", trust_env=False)


def test_a_demo_that_stays_serves_its_web_console_and_its_jobs_until_ctrl_c(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with output.open("w") as written:
        demo = subprocess.Popen(
            [sys.executable, "-m", "api", "demo", "--fast", "--stay"],
            env={**environment(tmp_path), "TMPDIR": str(tmp_path)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    wait_until(lambda: "goes on at" in output.read_text() or demo.poll() is not None, within=240, what="the demo's end")

    assert demo.poll() is None, output.read_text()
    address = output.read_text().split("goes on at ")[1].split()[0]
    page = httpx.get(address, trust_env=False)
    jobs = httpx.get(f"{address}api/v1/jobs", trust_env=False).json()["items"]
    demo.send_signal(signal.SIGINT)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert len(jobs) == 13
    assert demo.wait(timeout=IMPORTING) == 0
    assert output.read_text().index(address) < output.read_text().index("1. Thirteen jobs")
    assert list(tmp_path.iterdir()) == [output]


def address_in(folder: Path) -> str | None:
    """Return where a service says that it serves, in a log below the folder."""
    lines = [json.loads(line) for log in folder.glob("*/service.log") for line in log.read_text().splitlines()]
    return next((line["address"] for line in lines if line["event"] == "service_started"), None)


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [("missing.pem", 1, "No such file or directory"), ("empty.pem", 2, "it has no certificate in PEM form")],
)
def test_a_file_with_authorities_may_come_later_but_an_unusable_one_is_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int, why: str
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("JOB_RECOVERY_VMA_CA_FILE", str(tmp_path / name))

    assert serve(tmp_path) == (
        code,
        f"job-recovery: JOB_RECOVERY_VMA_CA_FILE: {tmp_path}/{name} cannot be used: {why}\n",
    )
