"""Whatever a service, a file or a VMA puts into a text, a terminal shows it and obeys nothing of it."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.client import EVENTS
from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support.answering import answering
from tests.support.service import ServiceProcess, wait_until

Capture = pytest.CaptureFixture[str]

ORDERS = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r"
UNTOUCHED = {"type", "next_cursor", "status", "run_id"}
"""Fields by which the command line goes on."""


def with_orders(value: Any, name: str = "") -> Any:
    """Return JSON with orders to the terminal at the end of each text, and of each name of a rule or a disk."""
    if isinstance(value, dict):
        return {key + (ORDERS if name.startswith("rules_") else ""): with_orders(v, key) for key, v in value.items()}
    if isinstance(value, list):
        return [with_orders(inner, name) for inner in value]
    return value + ORDERS if isinstance(value, str) and name not in UNTOUCHED else value


def spoiled(line: str, kind: str) -> str:
    """Return a line of an answer with orders in it."""
    return json.dumps(with_orders(json.loads(line)), ensure_ascii=False) if "json" in kind else line + ORDERS


class _Between(BaseHTTPRequestHandler):
    """Hands calls on to a service, and puts orders into its answers."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {"Content-Type": "application/json"} if body else {}
        url = f"{self.server.real}{self.path}"  # type: ignore[attr-defined]
        answer = httpx.request(self.command, url, content=body, headers=headers, trust_env=False)
        lines = [spoiled(line, answer.headers["Content-Type"]) for line in answer.text.splitlines()]
        self.send_response(answer.status_code)
        if EVENTS in answer.headers:
            self.send_header(EVENTS, answer.headers[EVENTS])
        self.end_headers()
        self.wfile.write("".join(f"{line}\n" for line in lines).encode())

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve a job that a VMA calls failed in hostile words, after a restart."""
    with SimulatedVMA() as vma:
        vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
        service = ServiceProcess(tmp_path_factory.mktemp("hostile") / "data", vma.url)
        service.start()
        service.register("job-1", "disk-1", vm_name="=cmd()")
        service.wait_for("job-1", vma_status="running")
        service.kill()
        vma.world.fail("job-1", f"disk full{ORDERS}")
        service.start()
        service.wait_for("job-1", state="failed")
        wait_until(lambda: not [r for r in service.pages("/api/v1/recovery-runs") if r["status"] == "running"])
        yield service
        service.close()


@pytest.fixture(scope="module")
def hostile(real: ServiceProcess) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Between) as server:
        server.real = real.url  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run_of(service: ServiceProcess) -> str:
    return str(next(run["run_id"] for run in service.pages("/api/v1/recovery-runs") if run["jobs"]))


def obeyed(text: str) -> set[str]:
    """Return the characters that a terminal would obey."""
    return {character for character in text if not character.isprintable() and character != "\n"}


@pytest.mark.parametrize(
    "line",
    [
        ["jobs"],
        ["job", "job-1"],
        ["job", "job-1", "--at", "2100-01-01", "--as-known", "2100-01-02"],
        ["events", "job-1"],
        ["audit"],
        ["audit", "--chain", "5"],
        ["diff", "job-1", "1", "3"],
        ["what-if", "--policy", "complete_above_percent=10"],
        ["compare", "RUN", "RUN"],
        ["recover", "--dry-run"],
    ],
    ids=" ".join,
)
def test_no_text_of_a_service_is_obeyed(real: ServiceProcess, hostile: str, line: list[str], capsys: Capture) -> None:
    asked = [run_of(real) if word == "RUN" else word for word in line]

    assert main([*asked, "--url", hostile]) == 0

    output = capsys.readouterr()
    assert output.out
    assert obeyed(output.out + output.err) == set()


@pytest.mark.parametrize("line", [["job", "job-9"], ["jobs", "--state", "asleep"], ["replay", "run-9"]], ids=" ".join)
def test_no_error_of_a_service_is_obeyed(hostile: str, line: list[str], capsys: Capture) -> None:
    assert main([*line, "--url", hostile]) != 0

    output = complaint(capsys)
    assert r"\x1b]0;owned" in output
    assert obeyed(output) == set()


def test_a_replayed_file_is_obeyed_in_nothing(real: ServiceProcess, tmp_path: Path, capsys: Capture) -> None:
    lines = real.get(f"/api/v1/recovery-runs/{run_of(real)}/export").text.splitlines()
    events = [json.loads(line) for line in lines]
    for event in events[1:]:
        event["event"]["originator_id"] += ORDERS
        event["event"] |= {name: event["event"][name] + ORDERS for name in ("reason",) if name in event["event"]}
    file = tmp_path / "run.ndjson"
    file.write_text("\n".join(map(json.dumps, events)) + "\n")

    assert main(["replay", str(file)]) == 1

    output = capsys.readouterr()
    assert r"job-1\x1b]0;owned" in output.out
    assert r"full\x1b]0;owned" in output.out
    assert obeyed(output.out + output.err) == set()


def test_each_probe_of_a_replay_has_a_line_of_its_own(capsys: Capture) -> None:
    corpus = Path(__file__).parents[2] / "corpus" / "restart-of-every-kind.ndjson"

    main(["replay", str(corpus), "--job", "job-002"])

    shown = capsys.readouterr().out
    assert r"\n" not in shown
    assert len([line for line in shown.splitlines() if " ms) " in line]) > 1


def test_a_csv_export_has_no_character_that_cannot_be_seen_and_its_json_can_be_read(real: ServiceProcess) -> None:
    text = real.get("/api/v1/audit/export", format="csv").text

    rows = list(csv.DictReader(io.StringIO(text)))

    assert obeyed(text.replace("\r\n", "\n")) == set()
    observed = [json.loads(row["data"])["observation"] for row in rows if row["type"] == "VMAStatusObserved"]
    assert f"disk full{ORDERS}" in {observation["error"] for observation in observed}


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_export_to_a_terminal_is_obeyed_in_nothing(hostile: str, form: str) -> None:
    outside, inside = pty.openpty()
    os.set_blocking(outside, False)
    line = [sys.executable, "-m", "api", "audit", "--export", form, "--url", hostile]
    with subprocess.Popen(line, stdout=inside, stderr=inside) as shown:  # noqa: S603 - our own program
        os.close(inside)
        output = ""

        def finished() -> bool:
            nonlocal output
            try:
                output += os.read(outside, 100_000).decode()
            except BlockingIOError:
                return False
            except OSError:
                return True
            return False

        wait_until(finished, what="the end of the export")
        os.close(outside)
        assert shown.wait(30) == 0
    # The terminal itself ends each line with a carriage return.
    assert r"\x1b]0;owned" in output or r"\u001b]0;owned\u0007\u001b[2J\x9b31m\u202e" in output
    assert obeyed(output.replace("\r\n", "\n")) == set()


def test_an_export_to_a_file_is_what_the_service_sent(real: ServiceProcess, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "api", "audit", "--export", "ndjson", "--url", real.url]
    with (tmp_path / "audit.ndjson").open("wb") as file:
        subprocess.run(line, stdout=file, check=True, timeout=30)  # noqa: S603 - our own program

    assert (tmp_path / "audit.ndjson").read_bytes() == real.get("/api/v1/audit/export").content


def test_an_answer_that_is_no_json_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>\x1b[2J")

    with answering(Page) as address:
        assert main(["jobs", "--url", address]) == 1

    assert "answered with something else than a JSON object: is this its address?" in complaint(capsys)
