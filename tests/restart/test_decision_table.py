"""The decision table, each row with the real process: started, killed, its world changed, started again."""

from datetime import datetime

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.awake import awake
from tests.support.fleet import run_jobs
from tests.support.service import PATIENT, ServiceProcess, wait_until

DISK = "5f0c6a1e-0001"
JOB = "job-20251003-140000-abc123"


def running_job(service: ServiceProcess, vma: SimulatedVMA, percent: float = 40.0) -> None:
    """Register a job that the VMA runs, frozen at a progress, and wait until that was observed."""
    vma.world.add_job(JOB, [DISK], progress=percent, duration=3600)
    vma.world.set_status(JOB, "in_progress", percent=percent, phase="Transfer")
    service.register(JOB, DISK)
    service.wait_for(JOB, vma_status="running", progress_percent=percent)


def decisions_of(service: ServiceProcess, job_id: str = JOB) -> list[tuple[str, str]]:
    return [
        (event["data"]["run_id"], event["data"]["rule"])
        for event in service.events(job_id)
        if event["type"] == "RecoveryDecided"
    ]


def test_a_running_job_is_resumed_after_a_restart(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(**PATIENT)
    running_job(service, vma)
    service.kill()
    asked_before = vma.requests.count(f"migration-vol-{DISK}")

    service.start()

    job = service.wait_for(JOB, state="replicating", rule="still-running", outcome="resume")
    assert job["decision"]["basis"] == "observed"
    wait_until(lambda: vma.requests.count(f"migration-vol-{DISK}") > asked_before + 2, what="polled again")
    run = wait_until(lambda: service.logged("recovery_completed"))[0]
    assert (run["resumed"], run["polled_again"]) == (1, 1)


def test_a_job_that_completed_while_away_is_completed(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma)
    service.kill()
    vma.world.finish(JOB)

    service.start()

    job = service.wait_for(JOB, state="completed", rule="completed-while-away", outcome="complete")
    assert (job["basis"], job["progress_percent"]) == ("observed", 100.0)


def test_a_job_that_failed_while_away_is_failed_with_the_vmas_error(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    running_job(service, vma)
    service.kill()
    vma.world.fail(JOB, "snapshot was removed")

    service.start()

    job = service.wait_for(JOB, state="failed", rule="failed-on-vma", outcome="fail", basis="observed")
    assert "snapshot was removed" in job["decision"]["reason"]


def test_a_job_gone_above_ninety_percent_is_probably_completed(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma, percent=95.0)
    service.kill()
    vma.world.remove(JOB)

    service.start()

    job = service.wait_for(JOB, state="completed", rule="gone-near-end", basis="inferred")
    assert job["decision"]["outcome"] == "complete"
    assert job["needs_attention"]


def test_a_job_gone_below_ninety_percent_is_lost(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma, percent=40.0)
    service.kill()
    vma.world.remove(JOB)

    service.start()

    job = service.wait_for(JOB, state="failed", rule="lost", basis="inferred")
    assert "job lost on VMA" in job["decision"]["reason"]
    silence = service.events(JOB)[-1]["data"]["evidence"]["silence"]
    assert silence["probes"] >= 3
    assert silence["held_for"] >= 1.0


def test_a_job_on_an_unreachable_vma_is_tried_again_until_it_is_back(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    running_job(service, vma)
    service.kill()
    vma.faults.set("refuse")

    service.start()

    job = service.wait_for(JOB, state="pending-retry", rule="unreachable-recent", outcome="retry")
    assert job["decision"]["basis"] is None
    vma.faults.clear()
    service.wait_for(JOB, state="replicating", rule="still-running")


def test_a_job_on_a_vma_unreachable_for_too_long_is_failed_by_inference(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(UNREACHABLE_TIMEOUT="2")
    running_job(service, vma)
    service.kill()
    vma.faults.set("refuse")

    service.start()

    job = service.wait_for(JOB, state="failed", rule="unreachable-too-long", basis="inferred")
    last_contact = datetime.fromisoformat(job["last_contact"])
    decided_at = datetime.fromisoformat(job["decision"]["decided_at"])
    assert (decided_at - last_contact).total_seconds() > 2


def test_a_guess_is_revised_when_the_vma_contradicts_it(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(UNREACHABLE_TIMEOUT="1")
    running_job(service, vma)
    vma.faults.set("refuse")
    service.wait_for(JOB, state="failed", rule="unreachable-too-long", basis="inferred")

    vma.faults.clear()

    job = service.wait_for(JOB, state="replicating", rule="outcome-revised")
    assert job["basis"] is None
    assert service.get(f"/api/v1/vm-contexts/{job['vm_context_id']}").json()["active_job"] == JOB


def test_a_contradicted_guess_about_a_vm_with_a_newer_job_needs_the_operator(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(UNREACHABLE_TIMEOUT="1", UNREACHABLE_GRACE="6", RETRY_BACKOFF_INITIAL="1")
    vma.world.add_job(JOB, [DISK], duration=3600, progress=40)
    service.register(JOB, DISK, vm_context_id="ctx-1")
    service.wait_for(JOB, vma_status="running")
    vma.faults.set("refuse")
    service.wait_for(JOB, state="failed", basis="inferred")
    service.register("job-newer", "other-disk", vm_context_id="ctx-1")

    vma.faults.clear()

    wait_until(lambda: "contradicted" in str(service.job(JOB)["attention"]), what="contradicted")
    assert service.job(JOB)["state"] == "failed"
    assert service.get("/api/v1/vm-contexts/ctx-1").json()["active_job"] == "job-newer"


def test_a_vma_that_forgot_most_of_its_jobs_has_not_lost_them(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    names = [f"job-{n}" for n in range(12)]
    run_jobs(vma, service, names)
    service.kill()
    vma.world.restart(reannounce=float("inf"))

    service.start()

    for name in names:
        service.wait_for(name, state="pending-retry", rule="vma-amnesia", outcome="retry")
    vma.world.restart(reannounce=0)
    for name in names:
        service.wait_for(name, state="replicating")


def test_after_the_unreachable_timeout_jobs_in_amnesia_are_lost_but_for_one_near_its_end(
    start_service: StartService,
) -> None:
    service = start_service(UNREACHABLE_TIMEOUT="12", CONFIRMATION_WINDOW="10", ATTENTION_AFTER="12")
    *lost, near_end = names = [f"job-{n}" for n in range(12)]
    for name in names:
        service.register(name, f"disk-{name}", progress_percent=95 if name == near_end else 40)

    for name in lost:
        service.wait_for(name, rule="lost", basis="inferred")
        first = next(e for e in service.events(name) if e["type"] == "RecoveryDecided")
        assert first["data"]["rule"] == "vma-amnesia"
    service.wait_for(near_end, state="pending-retry", rule="vma-amnesia", needs_attention=True)


def test_a_vma_that_was_rebooted_under_its_only_job_is_no_evidence_of_its_end(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    """Its worker, at 95 %, died with the appliance."""
    service = start_service(UNREACHABLE_TIMEOUT="2")
    vma.world.add_job(JOB, [DISK], duration=3600, progress=95)
    service.register(JOB, DISK)
    service.wait_for(JOB, vma_status="running")
    vma.faults.set("refuse")
    service.wait_for(JOB, rule="unreachable-recent")
    vma.world.forget(JOB, reannounce=float("inf"))

    vma.faults.clear()

    service.wait_for(JOB, state="pending-retry", rule="vma-amnesia")
    asked = vma.requests.count(JOB)
    wait_until(lambda: vma.requests.count(JOB) > asked + 6, what="polled past the timeout")
    assert service.job(JOB)["state"] == "pending-retry"


def test_a_job_that_has_not_started_yet_is_waited_for(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    service.register(JOB, DISK)
    service.kill()

    service.start()

    service.wait_for(JOB, state="pending-retry", rule="not-started-yet")
    vma.world.add_job(JOB, [DISK], duration=3600)
    service.wait_for(JOB, state="replicating", rule="still-running")


def test_unintelligible_answers_are_retried_and_decide_nothing(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma)
    service.kill()
    vma.faults.set("html")

    service.start()

    service.wait_for(JOB, state="pending-retry", rule="unintelligible", needs_attention=True)
    vma.faults.clear()
    service.wait_for(JOB, state="replicating", rule="still-running")


def test_a_start_without_jobs_makes_an_empty_run(start_service: StartService) -> None:
    service = start_service()
    service.kill()

    service.start()

    completed = wait_until(lambda: service.logged("recovery_completed"))[0]
    assert (completed["resumed"], completed["polled_again"], completed["outcomes"]) == (0, 0, {})
    for milestone in ("progress_poller_started", "scheduler_started", "recovery_initialised"):
        assert service.logged(milestone)
    run = service.finished_run(completed["run_id"])
    assert (run["cause"], run["jobs"], run["resumed"], run["polled_again"]) == ("restart", 0, 0, 0)
    wait_until(lambda: service.pages("/api/v1/recovery-runs")[0]["status"] == "finished", what="the run to be shown")


def test_a_job_found_in_recovering_is_recovered_again(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(CONFIRMATION_WINDOW="30")
    running_job(service, vma)
    service.kill()
    vma.world.forget(JOB, reannounce=float("inf"))
    service.start()
    service.wait_for(JOB, state="recovering")
    service.kill()
    vma.world.forget(JOB, reannounce=0)

    service.start()

    job = service.wait_for(JOB, state="replicating", rule="still-running")
    wait_until(
        lambda: [run["status"] for run in service.pages("/api/v1/recovery-runs")][:2] == ["finished", "interrupted"],
        what="the run that was killed to be closed",
    )
    assert len({run for run, _ in decisions_of(service)}) == len(decisions_of(service)) == 1
    assert job["decision"]["run_id"] == service.pages("/api/v1/recovery-runs")[0]["run_id"]


def test_an_observed_outcome_is_final(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma)
    vma.world.finish(JOB)
    service.wait_for(JOB, state="completed", basis="observed")
    asked = vma.requests.count(f"migration-vol-{DISK}")
    vma.world.set_status(JOB, "in_progress", percent=10)
    service.kill()
    service.start()

    wait_until(lambda: service.logged("recovery_completed"))

    assert service.job(JOB)["state"] == "completed"
    assert vma.requests.count(f"migration-vol-{DISK}") == asked


@pytest.mark.parametrize("outcome", ["complete", "fail"])
def test_an_operators_decision_is_final(outcome: str, vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    running_job(service, vma)
    order = {"outcome": outcome, "who": "mara", "why": "checked by hand"}

    assert service.post(f"/api/v1/jobs/{JOB}/decision", order).is_success
    assert service.post(f"/api/v1/jobs/{JOB}/decision", order).status_code == 409
    service.kill()
    service.start()

    state = {"complete": "completed", "fail": "failed"}[outcome]
    job = service.wait_for(JOB, state=state, rule="operator")
    assert (job["decision"]["who"], job["decision"]["reason"]) == ("mara", "checked by hand")


def test_a_second_service_on_the_same_data_is_refused(start_service: StartService) -> None:
    service = start_service()
    second = ServiceProcess(service.data_dir, "http://127.0.0.1:9")
    second.log_file = service.data_dir.with_suffix(".second.log")

    with pytest.raises(AssertionError, match=r"is in use by .* http://127"):
        second.start()
    second.close()

    assert service.get("/livez").is_success


def test_sigterm_ends_the_service_cleanly_within_five_seconds(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(PROBE_TIMEOUT="60")
    running_job(service, vma)
    vma.faults.set("hang")
    began = awake()

    code = service.terminate()

    assert code == 0
    assert awake() - began < 5
    assert service.logged("service_stopped")
