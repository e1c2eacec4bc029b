"""Traces of requests and probes: off without a collector, without secrets, and never blocking."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.service import wait_until


class Collector(ThreadingHTTPServer):
    """Receives traces as a real collector does."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> dict[str, set[str]]:
        """Return the names of all spans, by the library that made them."""
        found: dict[str, set[str]] = {}
        for body in self.received:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found.setdefault(scope.scope.name, set()).update(span.name for span in scope.spans)
        return found


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.shutdown()
    running.server_close()


def test_requests_and_probes_are_traced_without_secrets(
    collector: Collector, vma: SimulatedVMA, start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    address = urlsplit(vma.url)
    service = start_service(VMA_URL=f"http://user:hunter2@{address.netloc}")

    service.register("job-1", "disk-1")
    service.wait_for("job-1", vma_status="running")

    def names() -> set[str]:
        return {name for of_library in collector.spans().values() for name in of_library}

    wait_until(lambda: {"POST /api/v1/jobs", "GET"} <= names(), 30, "the request's and the probes' spans")
    spans = collector.spans()
    assert any("httpx" in library for library in spans)
    assert not any(path in name for name in names() for path in ("/readyz", "/livez", "/metrics"))
    assert b"hunter2" not in b"".join(collector.received)


def test_an_unreachable_collector_delays_nothing(
    vma: SimulatedVMA, start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    vma.world.add_job("job-1", ["disk-1"], progress=41.0, duration=36_000)
    service = start_service()
    service.register("job-1", "disk-1")
    service.wait_for("job-1", vma_status="running")

    assert service.terminate() == 0
