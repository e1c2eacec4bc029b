"""A log that cannot be written, or a closed terminal, does not stop the service, and SIGTERM still does."""

import fcntl
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import IN_USE
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.process import Descriptor, ForkedProcess, Process, Started
from tests.support.service import IMPORTING, ServiceProcess, wait_until

RUNS = 40
"""Recovery runs, which log more than 10 KB: more than the buffer of the pipe."""

CLOSED = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-m", "api", "serve"]


class Output:
    """The standard output of a service."""

    def __init__(self, writing: int, reading: int | None = None, *, closed: bool = False) -> None:
        self.writing = writing
        self.reading = reading
        self.closed = closed

    def launch(self, environment: dict[str, str]) -> Process:
        """Start a service that writes to it. One whose output is closed finds it so as its interpreter starts."""
        if self.closed:
            return Started(CLOSED, environment, self.writing)
        return ForkedProcess(environment, Descriptor(self.writing))

    def lose_reader(self) -> None:
        if self.reading is not None:
            os.close(self.reading)
            self.reading = None

    def close(self) -> None:
        self.lose_reader()
        os.close(self.writing)


def pipe() -> Output:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    return Output(writing, reading)


def pipe_without_reader() -> Output:
    output = pipe()
    output.lose_reader()
    return output


def full_disk() -> Output:
    return Output(os.open("/dev/full", os.O_WRONLY))


def closed_output() -> Output:
    return Output(os.open("/dev/null", os.O_WRONLY), closed=True)


class PrintingService(ServiceProcess):
    """A service whose output cannot be read; its address is in the lease."""

    patience = IMPORTING

    def __init__(self, data_dir: Path, vma_url: str, output: Output) -> None:
        super().__init__(data_dir, vma_url)
        self.output = output

    def launch(self) -> Process:
        return self.output.launch(self.environment)

    def dropped_lines(self) -> int:
        (found,) = re.findall(r"^job_recovery_log_lines_dropped_total (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return int(float(found))

    def _address(self) -> str:
        return wait_until(self._leased_address, self.patience, "its address in the lease")

    def _leased_address(self) -> str | None:
        assert not self._ended(), "the service has ended"
        lease = self.data_dir / "lease"
        text = lease.read_text() if lease.exists() else ""
        found = re.search(rf"(http://\S+) \(process {self.process.pid}\)", text)
        return found[1] if found else None


@pytest.fixture
def printing(vma: SimulatedVMA, tmp_path: Path) -> Iterator[Callable[[Output], PrintingService]]:
    """Return a function that starts services with a given output."""
    services: list[PrintingService] = []

    def start(output: Output) -> PrintingService:
        service = PrintingService(tmp_path / f"data{len(services)}", vma.url, output)
        services.append(service)
        service.start()
        return service

    yield start
    for service in services:
        service.close()
        service.output.close()


def log_much(service: ServiceProcess) -> None:
    for _ in range(RUNS):
        assert service.post("/api/v1/recovery-runs", {}).status_code == 202


def is_alive(service: ServiceProcess) -> bool:
    return httpx.get(f"{service.url}/livez", timeout=10, trust_env=False).is_success


def check_running(vma: SimulatedVMA, service: ServiceProcess) -> None:
    """Check that jobs are polled, that requests are answered, and that SIGTERM ends the service."""
    vma.world.finish("job-1")
    service.wait_for("job-1", state="completed", basis="observed")
    polls = service.get("/api/v1/polling").json()["polls"]
    wait_until(lambda: service.get("/api/v1/polling").json()["polls"] > polls, what="polled again")

    assert is_alive(service)
    service.wait_for("job-2", state="replicating")
    assert service.terminate() == 0


@pytest.mark.parametrize("output", [pipe, pipe_without_reader, full_disk, closed_output])
def test_a_log_that_cannot_be_written_does_not_end_or_stop_the_service(
    output: Callable[[], Output], vma: SimulatedVMA, printing: Callable[[Output], PrintingService]
) -> None:
    service = printing(output())
    run_jobs(vma, service, ["job-1", "job-2"])

    log_much(service)

    assert is_alive(service)

    is_counted = output in {pipe_without_reader, full_disk}
    assert (service.dropped_lines() > RUNS) == is_counted
    check_running(vma, service)
    with closing(ServiceProcess(service.data_dir, vma.url)) as again:
        again.start()
        again.wait_for("job-1", state="completed")
        again.wait_for("job-2", state="replicating")


def test_a_closed_pipe_does_not_stop_the_service(
    vma: SimulatedVMA, printing: Callable[[Output], PrintingService]
) -> None:
    service = printing(pipe())
    run_jobs(vma, service, ["job-1", "job-2"])
    assert service.output.reading is not None
    assert b"service_started" in os.read(service.output.reading, 4096)

    service.output.lose_reader()
    log_much(service)

    wait_until(lambda: service.dropped_lines() > 0, what="lines that were dropped")
    check_running(vma, service)


def test_a_service_that_cannot_start_exits_with_its_code_without_a_reader(
    printing: Callable[[Output], PrintingService],
) -> None:
    service = printing(pipe())
    outputs = [pipe(), pipe_without_reader(), full_disk(), closed_output()]
    for output in outputs:
        os.set_blocking(output.writing, False)
        with suppress(OSError):
            os.write(output.writing, b"full" * 1024)
        os.set_blocking(output.writing, True)

    others = [output.launch(service.environment) for output in outputs]

    assert [other.wait(IMPORTING) for other in others] == [IN_USE] * len(others)
    assert is_alive(service)
    for output in outputs:
        output.close()


def test_a_closed_terminal_does_not_stop_the_service(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    run_jobs(vma, service, ["job-1", "job-2"])

    os.kill(service.process.pid, signal.SIGHUP)
    wait_until(lambda: len(service.logged("sighup_ignored")) == 1, what="SIGHUP in the log")
    os.kill(service.process.pid, signal.SIGHUP)
    wait_until(lambda: len(service.logged("sighup_ignored")) == 2, what="the second SIGHUP in the log")

    check_running(vma, service)
    assert service.logged("service_stopped")
