"""The service's own absence is not the VMA's silence: a stop, a suspend or a clock step fails no job."""

import os
import signal
import time

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

JOB, OTHER = "job-1", "job-2"
TIMEOUT = 2.0
"""Seconds; `UNREACHABLE_TIMEOUT` in these tests."""


@pytest.fixture
def service(vma: SimulatedVMA, start_service: StartService) -> ServiceProcess:
    """Return a service with a running job, a short timeout and a long grace."""
    service = start_service(UNREACHABLE_TIMEOUT=str(TIMEOUT), UNREACHABLE_GRACE="8")
    run_jobs(vma, service, [JOB, OTHER])
    return service


def absent(seconds: float) -> None:
    """Let time pass in which the service does not probe."""
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > seconds)


def test_a_stop_longer_than_the_timeout_fails_no_job_while_the_tunnel_comes_up_late(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    service.terminate()
    absent(TIMEOUT + 0.5)
    vma.faults.set("refuse")
    service.start()

    for job_id in (JOB, OTHER):
        job = service.wait_for(job_id, state="pending-retry", rule="unreachable-recent")
        assert "no answer for" in job["decision"]["reason"]
    vma.faults.clear()

    for job_id in (JOB, OTHER):
        service.wait_for(job_id, state="replicating", rule="still-running")
        assert service.outcomes_of(job_id) <= {"retry", "resume"}


def test_a_suspended_process_fails_no_job_when_it_continues_with_the_vma_down(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    os.kill(service.process.pid, signal.SIGSTOP)
    vma.faults.set("refuse")
    absent(TIMEOUT + 8.5)

    os.kill(service.process.pid, signal.SIGCONT)

    for job_id in (JOB, OTHER):
        service.wait_for(job_id, state="pending-retry", rule="unreachable-recent")
    vma.faults.clear()
    for job_id in (JOB, OTHER):
        service.wait_for(job_id, state="replicating", rule="still-running")
        assert service.outcomes_of(job_id) <= {"retry", "resume"}


def test_a_suspended_process_continues_with_the_vma_up(service: ServiceProcess) -> None:
    before = service.job(JOB)["live"]["polls"]
    os.kill(service.process.pid, signal.SIGSTOP)
    absent(TIMEOUT + 1.0)

    os.kill(service.process.pid, signal.SIGCONT)

    wait_until(lambda: service.job(JOB)["live"]["polls"] > before + 2, what="polled on")
    for job_id in (JOB, OTHER):
        assert service.job(job_id)["state"] == "replicating"
        assert not service.job(job_id)["stalled"]


def test_a_vma_that_did_not_answer_for_the_grace_is_unreachable_for_too_long(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    service.terminate()
    vma.faults.set("refuse")
    service.start()

    job = service.wait_for(JOB, state="failed", rule="unreachable-too-long", basis="inferred")

    silence = next(e for e in reversed(service.events(JOB)) if e["type"] == "RecoveryDecided")["data"]["evidence"]
    assert silence["silence"]["held_for"] >= 8.0
    assert silence["contact_age"] > TIMEOUT
    assert "Check its tunnel" in job["decision"]["reason"]
