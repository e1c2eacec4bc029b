"""Each row of "how it misleads" in the VMA's contract, with the real process and a real HTTP server."""

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import PATIENT, wait_until

JOB = "job-20251003-140000-abc123"
DISKS = ["disk-a", "disk-b", "disk-c"]


def polls(vma: SimulatedVMA, more: int = 4) -> None:
    """Wait until the VMA has received several more requests."""
    asked = vma.requests.total
    wait_until(lambda: vma.requests.total >= asked + more * len(DISKS), what="more polls")


class TestForgetfulness:
    """The VMA stores everything in memory: after its restart every id is unknown, while the workers continue."""

    def test_a_restarted_vma_loses_no_running_job(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service(CONFIRMATION_WINDOW="4", **PATIENT)
        run_jobs(vma, service, [JOB], DISKS)
        service.kill()
        vma.world.restart(reannounce=2.0)

        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        assert service.outcomes_of(JOB) == {"resume"}

    def test_a_vma_that_restarts_while_polled_loses_no_job(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(CONFIRMATION_WINDOW="20", CONFIRMATION_PROBES="11")
        run_jobs(vma, service, [JOB], DISKS)

        vma.world.restart(reannounce=float("inf"))
        service.wait_for(JOB, vma_status="not_found")
        vma.world.restart(reannounce=0)

        service.wait_for(JOB, state="replicating", vma_status="running")
        assert service.outcomes_of(JOB) <= {"resume"}


class TestSeveralDisks:
    """A job completes with all of its disks, and fails with one of them."""

    def test_a_job_with_one_finished_disk_continues(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS)
        vma.world.finish(JOB, DISKS[0])
        service.kill()
        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        polls(vma)
        assert service.job(JOB)["state"] == "replicating"

        vma.world.finish(JOB)
        service.wait_for(JOB, state="completed", basis="observed")

    def test_a_finished_disk_beside_unknown_ones_does_not_complete_the_job(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS)
        service.kill()
        vma.world.finish(JOB, DISKS[0])
        vma.world.remove(JOB, DISKS[1])
        vma.world.remove(JOB, DISKS[2])
        service.start()

        job = service.wait_for(JOB, state="failed", rule="lost")
        assert job["basis"] == "inferred"

    def test_a_shared_id_that_says_completed_between_disks_completes_nothing(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(CONFIRMATION_WINDOW="4")
        vma.world.add_job(JOB, DISKS, duration=1.5, reports="shared_job_id", disk_gap=1.2)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="completed")
        truth_when_first_said = vma.world.truth(JOB)
        service.kill()

        service.start()

        assert truth_when_first_said == "running"
        wait_until(lambda: vma.world.truth(JOB) == "completed", what="really completed")
        assert service.job(JOB)["state"] != "completed"
        job = service.wait_for(JOB, state="completed")
        assert job["decision"]["rule"] == "completed-while-away"

    def test_one_failed_disk_fails_the_job_while_the_others_stream_on(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS)
        service.kill()
        vma.world.fail(JOB, "write error", disk=DISKS[1])
        service.start()

        job = service.wait_for(JOB, state="failed", rule="failed-on-vma", basis="observed")
        assert "write error" in job["decision"]["reason"]


class TestTheNextJobOfAVM:
    """Exports are named by volumes: until the next worker reports, they show the end of the previous job."""

    @pytest.mark.parametrize(("word", "context"), [("completed", {}), ("failed", {"vm_context_id": "vm"})])
    def test_the_end_of_the_previous_job_does_not_end_the_next(
        self, word: str, context: dict[str, str], vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(STARTUP_GRACE="60")
        export, said = f"migration-vol-{DISKS[0]}", {"percentage": 100.0, "timing": {"start_time": "10:00"}}
        service.register("job-1", DISKS[0], **context)
        vma.world.set_document(export, {"job_id": export, "status": word, **said})
        service.wait_for("job-1", state=word, basis="observed")

        service.register("job-2", DISKS[0], **context)
        service.kill()
        service.start()
        service.wait_for("job-2", state="pending-retry", rule="not-started-yet")
        vma.world.set_document("job-2", {"job_id": "job-2", "status": "in_progress", "percentage": 3.0})
        service.wait_for("job-2", state="replicating", rule="still-running", progress_percent=3.0)
        polls(vma)
        assert service.job("job-2")["state"] == "replicating"

        ended = {"job_id": export, "status": "completed", "percentage": 100.0, "timing": {"start_time": "11:00"}}
        vma.world.set_document("job-2", {"job_id": "job-2", "status": "completed", "percentage": 100.0})
        vma.world.set_document(export, ended)
        service.wait_for("job-2", state="completed", basis="observed")


class TestWordsThatMeanSomethingElse:
    """Answers that look like no progress or like an error, and are neither."""

    def test_a_job_at_zero_percent_of_zero_bytes_is_running(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        export = f"migration-vol-{DISKS[0]}"
        starting = {"job_id": export, "status": "in_progress", "percentage": 0.0, "total_bytes": 0}
        vma.world.set_document(export, starting)
        service.register(JOB, DISKS[0])
        service.wait_for(JOB, vma_status="running")
        service.kill()
        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")

    def test_an_incremental_sync_without_changes_is_completed(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        export = f"migration-vol-{DISKS[0]}"
        unchanged = {
            "job_id": export,
            "status": "completed",
            "sync_type": "incremental",
            "percentage": 0.0,
            "bytes_transferred": 0,
            "total_bytes": 0,
        }
        service.register(JOB, DISKS[0])
        vma.world.set_document(export, unchanged)

        service.wait_for(JOB, state="completed", basis="observed")

    def test_a_completed_for_half_a_copy_does_not_complete_the_job(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS, progress=41.5)
        vma.world.set_status(JOB, "completed", percent=41.5)

        job = service.wait_for(JOB, state="pending-retry", rule="unintelligible")
        assert "says completed, and contradicts it with 41.5 %" in job["decision"]["reason"]
        polls(vma)
        service.kill()
        service.start()
        polls(vma)
        assert service.outcomes_of(JOB) <= {"retry"}

        vma.world.set_status(JOB, "in_progress", percent=42.0)
        service.wait_for(JOB, state="replicating", rule="still-running")

    def test_a_failure_without_a_reason_fails_the_job(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS)
        service.kill()
        vma.world.fail(JOB)
        service.start()

        job = service.wait_for(JOB, state="failed", rule="failed-on-vma")
        assert "the VMA gave no reason" in job["decision"]["reason"]

    def test_recoverable_errors_do_not_fail_the_job(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service()
        run_jobs(vma, service, [JOB], DISKS, recoverable_errors=True)
        service.kill()
        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        polls(vma)
        assert service.job(JOB)["state"] == "replicating"

    def test_the_job_of_a_dead_worker_is_stalled_and_not_failed(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(STALLED_AFTER="2")
        run_jobs(vma, service, [JOB], DISKS)
        service.kill()
        vma.world.freeze(JOB)
        service.start()

        job = service.wait_for(JOB, state="replicating", stalled=True)
        assert job["needs_attention"]

        vma.world.resume(JOB)
        service.wait_for(JOB, state="replicating", stalled=False)
