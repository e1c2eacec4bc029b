"""Hostile clients: whatever they send is answered or refused, changes nothing, and affects no other client."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.http.connections import HEAD_TIMEOUT
from api.http.limits import MAX_BODY
from tests.support.service import ServiceProcess

JOB = {"job_id": "job-1", "vm_name": "vm", "volume_ids": ["disk-1"]}

IDS = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "a%0d%0aSet-Cookie:%20x=1",
    "a%00b",
    "a" * 10_000,
    "%F0%9F%92%A9",
    "job%E2%80%AE1",
    "%EF%BD%8A%EF%BD%8F%EF%BD%82-1",
    "j%C3%B6b",
    "%FF%FE",
    "job-1%20",
    "'%20OR%20'1'='1",
    ";DROP%20TABLE%20jobs",
    "-1",
]
PATHS = [
    "/jobs/{}",
    "/jobs/{}/events",
    "/jobs/{}/diff?from=1&to=2",
    "/recovery-runs/{}",
    "/recovery-runs/{}/replay",
    "/polling/{}",
    "/vm-contexts/{}",
]
RAW_IDS = [
    "../x",
    "..",
    "a\r\nb",
    "a\0b",
    "a" * 201,
    "\u202ejob",
    "job\u200b1",
    " job",
    "job\u3000",
    "",
    "\ud83d",
    "a\n",
]
SQL = "x' OR '1'='1'; DROP TABLE audit_trail; --"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with SimulatedVMA() as vma:
        vma.world.add_job("job-1", ["disk-1"], duration=36_000)
        running = ServiceProcess(tmp_path_factory.mktemp("hostile") / "data", vma.url, RATE_LIMIT="0")
        running.start()
        running.register("job-1", "disk-1")
        yield running
        running.close()


@pytest.fixture
def address(service: ServiceProcess) -> tuple[str, int]:
    url = httpx.URL(service.url)
    return url.host, url.port or 0


def memory(service: ServiceProcess) -> int:
    """Return the memory of the service in bytes."""
    pages = Path(f"/proc/{service.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


@pytest.mark.parametrize("path", PATHS)
def test_an_invalid_id_in_a_path_finds_nothing_and_breaks_nothing(service: ServiceProcess, path: str) -> None:
    for hostile in IDS:
        response = service.get(f"/api/v1{path.format(hostile)}")

        assert response.status_code in {404, 422}, (hostile, response.text)
        assert response.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("hostile", RAW_IDS, ids=ascii)
def test_an_invalid_id_is_not_registered(service: ServiceProcess, hostile: str) -> None:
    for body in (
        {**JOB, "job_id": hostile},
        {**JOB, "job_id": "job-x", "volume_ids": [hostile]},
        {**JOB, "job_id": "job-x", "vm_context_id": hostile},
        {**JOB, "job_id": "job-x", "vma": hostile},
    ):
        sent = httpx.post(
            f"{service.url}/api/v1/jobs", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )

        assert sent.status_code == 422, sent.text
    assert [job["job_id"] for job in service.jobs()] == ["job-1"]


def test_sql_in_a_filter_matches_nothing(service: ServiceProcess) -> None:
    events = len(service.pages("/api/v1/audit"))
    for path in ("/audit", "/audit/export", "/events/stream"):
        for name in ("type", "rule", "basis", "outcome", "from", "to"):
            assert service.get(f"/api/v1{path}", **{name: SQL}).status_code == 422, (path, name)
    for name in ("state", "at", "cursor", "limit"):
        assert service.get("/api/v1/jobs", **{name: SQL}).status_code == 422, name
    for path in ("/audit", "/audit/export"):
        for name in ("actor", "job_id", "vm_context_id", "run_id"):
            found = service.get(f"/api/v1{path}", **{name: SQL})
            assert found.is_success
            assert "JobRegistered" not in found.text
    assert service.get("/api/v1/jobs", vm_context_id=SQL).json()["items"] == []

    assert len(service.pages("/api/v1/audit")) >= events


def test_a_body_that_is_too_large_is_refused_before_it_uses_memory(service: ServiceProcess) -> None:
    before = memory(service)

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 1_000_000

    as_json = {"Content-Type": "application/json"}
    announced = httpx.post(f"{service.url}/api/v1/jobs", content=b" " * (MAX_BODY + 1), headers=as_json)
    assert announced.status_code == 413
    assert announced.headers["content-type"] == "application/problem+json"
    # The connection may be closed while we are still sending: that is a refusal, too.
    with suppress(httpx.WriteError):
        assert httpx.post(f"{service.url}/api/v1/jobs", content=endless(), headers=as_json).status_code == 413

    assert memory(service) - before < 20_000_000


def test_a_slow_client_delays_no_other(service: ServiceProcess, address: tuple[str, int]) -> None:
    heads = [
        b"",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n",
        (
            b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 500\r\n\r\n{"
        ),
    ]
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(address)) for _ in range(150)]
        for number, connection in enumerate(slow):
            connection.sendall(heads[number % len(heads)])
        began = time.monotonic()
        for _ in range(20):
            assert service.get("/api/v1/jobs").is_success
        assert time.monotonic() - began < HEAD_TIMEOUT

        for number, connection in enumerate(slow[: len(heads)]):
            connection.settimeout(3 * HEAD_TIMEOUT)
            received = connection.recv(4096)
            assert received == b"" if number < len(heads) - 1 else received.startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_http_is_closed(service: ServiceProcess, address: tuple[str, int]) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 1000, b"GET " + b"a" * 100_000):
        with socket.create_connection(address) as connection:
            connection.settimeout(3 * HEAD_TIMEOUT)
            connection.sendall(noise)
            received = connection.recv(4096)
            assert received == b"" or received.startswith(b"HTTP/1.1 400 "), (noise[:20], received)
    assert service.get("/livez").is_success


def test_a_client_cannot_write_lines_or_control_characters_into_the_log(service: ServiceProcess) -> None:
    forged = '\n{"event": "forged", "level": "info"}\r\n\x1b[2J\x1b]0;owned\x07\u202e'
    body = {**JOB, "job_id": "job-forged", "vm_name": f"vm{forged}", "volume_ids": ["disk-forged"]}
    assert service.post("/api/v1/jobs", body).status_code == 201
    decided = {"outcome": "fail", "who": f"mara{forged}", "why": f"because{forged}"}
    assert service.post("/api/v1/jobs/job-forged/decision", decided).status_code == 200
    service.get(f"/api/v1/jobs/job-1?at={forged!r}")

    lines = service.log_file.read_bytes().decode().splitlines()

    assert all(json.loads(line)["event"] != "forged" for line in lines)
    assert "\x1b" not in service.log_file.read_text()


def test_eleven_hundred_silent_connections_block_no_client(service: ServiceProcess, address: tuple[str, int]) -> None:
    for _ in range(2):
        with ExitStack() as stack:
            many = [stack.enter_context(socket.create_connection(address)) for _ in range(1100)]

            for path in ("/livez", "/readyz", "/api/v1/jobs/job-1"):
                assert httpx.get(f"{service.url}{path}").is_success, path

            many[0].settimeout(10)
            assert many[0].recv(1) == b""
            many[-1].settimeout(10)
            many[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert many[-1].recv(4096).startswith(b"HTTP/1.1 200 ")


def test_malformed_requests_do_not_fill_the_log(service: ServiceProcess, address: tuple[str, int]) -> None:
    before = service.log_file.stat().st_size
    upgrade = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    for noise in (b"\0" * 100 + b"\r\n\r\n", upgrade):
        for _ in range(20):
            with socket.create_connection(address) as connection:
                connection.settimeout(10)
                connection.sendall(noise)
                assert connection.recv(4096).startswith(b"HTTP/1.1 ")

    assert b"library_message" not in service.log_file.read_bytes()[before:]
