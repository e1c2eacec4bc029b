"""The VMA stores each document until the next worker writes: documents of earlier jobs end no other job."""

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

VOLUME = "5f0c6a1e-0001"
EXPORT = f"migration-vol-{VOLUME}"
A, B = "job-a", "job-b"


@pytest.fixture
def service(start_service: StartService) -> ServiceProcess:
    return start_service(STARTUP_GRACE="2", COMPLETION_WINDOW="2")


def failed_by_operator(vma: SimulatedVMA, service: ServiceProcess, percent: float = 95.0) -> None:
    """Have an operator fail job A, whose worker continues, and register B on its volume."""
    run_jobs(vma, service, [A], [VOLUME], progress=percent, duration=100_000)
    service.decide(A, "fail")
    service.register(B, VOLUME)


def polled(vma: SimulatedVMA, times: int = 6) -> None:
    before = vma.requests.count(EXPORT)
    wait_until(lambda: vma.requests.count(EXPORT) > before + times, what="asked again")


def never_ended(service: ServiceProcess, job_id: str) -> bool:
    return not service.outcomes_of(job_id) & {"complete", "completed", "fail", "failed"} and service.job(job_id)[
        "state"
    ] in {"replicating", "recovering", "pending-retry"}


def test_a_job_that_never_began_is_not_completed_when_the_earlier_workers_document_goes(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    failed_by_operator(vma, service)
    polled(vma)
    vma.world.remove(A)

    job = service.wait_for(B, state="pending-retry", rule="never-seen", needs_attention=True)

    assert job["progress_percent"] == 0
    polled(vma)
    assert never_ended(service, B)


@pytest.mark.parametrize("end", ["finish", "fail", "kill"])
def test_the_end_of_the_earlier_worker_does_not_end_the_next_job(
    end: str, vma: SimulatedVMA, service: ServiceProcess
) -> None:
    failed_by_operator(vma, service)
    polled(vma)

    getattr(vma.world, end)(A)

    job = service.wait_for(B, state="pending-retry", rule="unanswered", needs_attention=True)
    assert "previous worker" in job["attention"][0]
    polled(vma)
    assert never_ended(service, B)


@pytest.mark.parametrize("restart", [False, True])
def test_the_next_jobs_own_worker_is_recognised_and_ends_it(
    vma: SimulatedVMA, service: ServiceProcess, *, restart: bool
) -> None:
    failed_by_operator(vma, service, percent=40.0)
    vma.world.kill(A)
    polled(vma)
    if restart:
        service.kill()
        service.start()
    vma.world.add_job(B, [VOLUME], duration=100_000, progress=5, keeps_figures=0.0)

    service.wait_for(B, state="replicating", vma_status="running")
    vma.world.finish(B)

    service.wait_for(B, state="completed", basis="observed")


def test_a_completed_document_of_a_job_that_was_never_registered_completes_nothing(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    vma.world.add_job("job-unknown", [VOLUME])
    vma.world.finish("job-unknown")
    service.register(B, VOLUME)

    service.wait_for(B, state="pending-retry", rule="unanswered", needs_attention=True)
    polled(vma, 10)
    assert never_ended(service, B)
    vma.world.add_job(B, [VOLUME], duration=100_000, progress=10)
    service.wait_for(B, state="replicating", progress_percent=10)
    vma.world.finish(B)
    service.wait_for(B, state="completed", basis="observed")


def test_the_old_figures_of_a_new_jobs_first_document_are_no_progress(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    run_jobs(vma, service, [A], [VOLUME])
    vma.world.finish(A)
    service.wait_for(A, state="completed", basis="observed")
    service.register(B, VOLUME)
    vma.world.add_job(B, [VOLUME], duration=100_000, keeps_figures=100_000.0)

    job = service.wait_for(B, vma_status="running")
    assert job["progress_percent"] == 0
    vma.world.remove(B)

    service.wait_for(B, state="failed", rule="lost")
    assert "complete" not in service.outcomes_of(B)


def test_a_zero_change_incremental_while_away_is_neither_lost_nor_surely_complete(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    run_jobs(vma, service, [A], [VOLUME])
    vma.world.finish(A)
    service.wait_for(A, state="completed", basis="observed")
    service.register(B, VOLUME)
    service.kill()
    vma.world.add_job(B, [VOLUME], starts_in=100_000)
    vma.world.run_zero_change(B, "former")
    service.start()

    job = service.wait_for(B, state="completed", rule="completed-while-away", basis="inferred")
    assert job["needs_attention"]
    first = next(event for event in service.events(B) if event["type"] == "RecoveryDecided")
    assert (first["data"]["rule"], first["data"]["outcome"]) == ("completion-unconfirmed", "retry")


def test_an_incremental_that_copied_something_while_away_is_completed(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    run_jobs(vma, service, [A], [VOLUME])
    vma.world.finish(A)
    service.wait_for(A, state="completed", basis="observed")
    service.register(B, VOLUME)
    service.kill()
    vma.world.add_job(B, [VOLUME], sync_type="incremental", total_bytes=123_456_789)
    vma.world.finish(B)
    service.start()

    service.wait_for(B, state="completed", basis="observed")


def test_another_vma_with_a_volume_of_the_same_name_is_not_affected(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    with SimulatedVMA() as second:
        service = start_service(VMAS=f'{{"second": "{second.url}"}}')
        run_jobs(vma, service, [A], [VOLUME])
        vma.world.finish(A)
        service.wait_for(A, state="completed")
        service.register(B, VOLUME, vma="second")
        second.world.add_job(B, [VOLUME], progress=100)
        second.world.finish(B)

        service.wait_for(B, state="completed", basis="observed")


def test_two_open_jobs_on_one_volume_are_refused_by_naming_the_first(
    vma: SimulatedVMA, service: ServiceProcess
) -> None:
    service.register(A, VOLUME, "another-disk")
    body = {"job_id": B, "vm_name": "vm", "volume_ids": ["its-own-disk", VOLUME]}

    refused = service.post("/api/v1/jobs", body)

    assert refused.status_code == 409
    assert A in refused.json()["detail"]
    assert service.get(f"/api/v1/jobs/{B}").status_code == 404
    service.decide(A, "fail")
    assert service.post("/api/v1/jobs", body).status_code == 201
    assert service.post("/api/v1/jobs", body).status_code == 200
