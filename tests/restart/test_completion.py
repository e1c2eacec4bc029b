"""A half-copied VM is never reported complete: the conditions for a `completed` to count."""

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

JOB, DISKS = "job-1", ["disk-a", "disk-b"]


class StoppedClock:
    """A worker's clock, which the test sets: the worker waits for a service that is slow."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def polled(vma: SimulatedVMA, more: int = 8) -> None:
    at = vma.requests.total
    wait_until(lambda: vma.requests.total >= at + more, what="polled on")


def is_not_completed(service: ServiceProcess) -> bool:
    return service.job(JOB)["state"] != "completed" and "complete" not in service.outcomes_of(JOB)


def test_a_disk_that_was_not_registered_keeps_the_job_running(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB], DISKS, reports="both")
    asked = vma.requests.count(JOB)
    vma.world.set_document(JOB, {"job_id": JOB, "status": "in_progress", "percentage": 50.0})
    vma.world.finish(JOB)

    wait_until(lambda: vma.requests.count(JOB) > asked + 3, what="the job's own id to be asked")

    assert (service.job(JOB)["state"], service.job(JOB)["vma_status"]) == ("replicating", "running")
    vma.world.set_document(JOB, {"job_id": JOB, "status": "completed", "percentage": 100.0})
    service.wait_for(JOB, state="completed", basis="observed")


@pytest.mark.parametrize("reports", ["shared_job_id", "shared_export"])
def test_a_completed_of_a_worker_with_one_shared_id_waits_for_the_completion_window(
    reports: str, start_service: StartService
) -> None:
    clock = StoppedClock()
    with SimulatedVMA(now=clock) as vma:
        service = start_service(VMA_URL=vma.url, COMPLETION_WINDOW="10")
        run_jobs(vma, service, [JOB], DISKS, reports=reports, progress=0, duration=100, disk_gap=100)

        clock.seconds = 150
        service.wait_for(JOB, state="pending-retry", rule="completion-unconfirmed")
        clock.seconds = 250
        service.wait_for(JOB, vma_status="running", state="replicating")
        assert is_not_completed(service)
        clock.seconds = 350

        job = service.wait_for(JOB, state="completed", rule="completed-while-away", basis="inferred")
        assert job["needs_attention"]


@pytest.mark.parametrize("lists_disks", [True, False])
def test_disks_that_are_all_reported_under_the_first_export_are_not_lost(
    vma: SimulatedVMA, start_service: StartService, *, lists_disks: bool
) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB], DISKS, reports="first_export", lists_disks=lists_disks)
    service.kill()
    service.start()
    service.wait_for(JOB, state="replicating", rule="still-running")
    vma.world.finish(JOB)

    job = service.wait_for(JOB, state="completed")

    assert job["basis"] == ("observed" if lists_disks else "inferred")
    assert not service.outcomes_of(JOB) & {"fail", "failed"}


def test_a_completed_without_a_byte_does_not_count(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(COMPLETION_WINDOW="1")
    run_jobs(vma, service, [JOB], DISKS)
    vma.world.contradict(JOB)

    job = service.wait_for(JOB, state="pending-retry", rule="unintelligible", needs_attention=True)
    assert "contradicts it" in job["attention"][0]
    polled(vma, 20)

    assert is_not_completed(service)
    vma.world.say(JOB)
    service.wait_for(JOB, state="replicating", rule="still-running")


def test_an_operator_corrects_a_guess_and_a_contradiction(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB, "job-2"])
    vma.world.remove(JOB)
    assert service.wait_for(JOB, state="failed", rule="lost", basis="inferred")["needs_attention"]

    job = service.decide(JOB, "complete")

    assert (job["state"], job["basis"], job["needs_attention"], job["decision"]["rule"]) == (
        "completed",
        None,
        False,
        "operator",
    )
    again = service.post(f"/api/v1/jobs/{JOB}/decision", {"outcome": "fail", "who": "mara", "why": "changed my mind"})
    assert again.status_code == 409
    vma.world.finish("job-2")
    service.wait_for("job-2", state="completed", basis="observed")
    observed = service.post("/api/v1/jobs/job-2/decision", {"outcome": "fail", "who": "mara", "why": "will not boot"})
    assert observed.status_code == 409
    service.kill()
    service.start()
    assert service.job(JOB)["state"] == "completed"


def test_three_jobs_on_a_vma_that_restarts_are_not_lost(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    names = [f"job-{n}" for n in range(3)]
    run_jobs(vma, service, names)
    service.kill()
    vma.world.restart(reannounce=float("inf"))
    service.start()

    for name in names:
        service.wait_for(name, state="pending-retry", rule="vma-amnesia")
    vma.world.restart(reannounce=0)

    for name in names:
        service.wait_for(name, state="replicating")
        assert service.outcomes_of(name) <= {"retry", "resume"}
