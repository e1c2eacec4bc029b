"""A worker's report counts as contact, in every form, and outweighs a VMA that does not know the job."""

import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.simulated_vma.reports import ReportForm
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

JOB = "job-1"
FORMS: tuple[ReportForm, ...] = (
    "full",
    "status_only",
    "disks_by_index",
    "disks_by_id",
    "error_object",
    "error_text",
    "no_timestamp",
    "unknown_fields",
)


def report(vma: SimulatedVMA, service: ServiceProcess, form: ReportForm = "full", job_type: str = "backup") -> None:
    _, body = vma.world.report_of(JOB, form)
    response = service.post(f"/api/v1/telemetry/{job_type}/{JOB}", body)
    assert response.is_success, response.text


@pytest.mark.parametrize("job_type", ["replication", "backup"])
def test_reports_are_accepted_in_every_form(job_type: str, vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB], progress=40, duration=1e9)

    for form in FORMS:
        report(vma, service, form, job_type)

    job = service.job(JOB)
    assert (job["state"], job["progress_percent"]) == ("replicating", 40.0)


def test_a_job_whose_worker_reports_is_not_failed_by_a_vma_that_does_not_know_it(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB, "job-2"], progress=40, duration=1e9)
    report(vma, service)
    vma.world.forget(JOB, reannounce=float("inf"))
    vma.world.forget("job-2", reannounce=float("inf"))

    def is_lost() -> bool:
        report(vma, service)
        return bool(service.job("job-2")["state"] == "failed")

    wait_until(is_lost, what="the job whose worker is silent to be lost")

    assert service.job(JOB)["state"] == "replicating"
    assert not service.outcomes_of(JOB) & {"fail", "complete"}


def test_of_two_reports_in_one_second_the_last_counts(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(POLL_INTERVAL="60")
    run_jobs(vma, service, [JOB], progress=40, duration=1e9)
    running, completed = {"status": "in_progress", "progress_percent": 99}, {"status": "completed"}

    for body in (running, completed):
        sent = {**body, "timestamp": "2025-10-03T14:00:00+02:00"}
        assert service.post(f"/api/v1/telemetry/replication/{JOB}", sent).is_success

    service.wait_for(JOB, state="completed", basis="observed")


def test_an_end_that_was_reported_while_the_vma_was_away_survives_a_kill_and_a_vma_that_has_forgotten_it(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    run_jobs(vma, service, [JOB, "job-2"], progress=40, duration=1e9)
    vma.faults.set("refuse")
    for job_id in (JOB, "job-2"):
        service.wait_for(job_id, state="pending-retry")

    assert service.post(f"/api/v1/telemetry/replication/{JOB}", {"status": "completed"}).is_success
    service.kill()
    for job_id in (JOB, "job-2"):
        vma.world.forget(job_id, reannounce=float("inf"))
    vma.faults.clear()
    service.start()

    # Without a report of its worker, the VMA's outage tells that it may have been forgotten.
    service.wait_for("job-2", state="pending-retry", rule="vma-amnesia")
    ended = service.job(JOB)
    assert (ended["state"], ended["basis"]) == ("completed", "observed")
