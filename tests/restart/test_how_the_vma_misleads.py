"""Each row of "how it misleads" in the VMA's contract, with the real process and a real HTTP server that lies."""

from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.restart.service import ServiceProcess, wait_until

JOB = "job-20251003-140000-abc123"
DISKS = ["disk-a", "disk-b", "disk-c"]


def polls(vma: SimulatedVMA, more: int = 4) -> None:
    """Wait until the service has asked the VMA several more times."""
    asked = vma.requests.total
    wait_until(lambda: vma.requests.total >= asked + more * len(DISKS), what="more polls")


def states_of(service: ServiceProcess, job_id: str = JOB) -> set[str]:
    """Return every outcome that the job ever had, from its history."""
    kinds = {"RecoveryDecided": "outcome", "OutcomeRevised": "to_state"}
    return {e["data"][kinds[e["type"]]] for e in service.events(job_id) if e["type"] in kinds}


class TestForgetfulness:
    """The VMA keeps everything in memory; after its restart every id is unknown, while the workers go on."""

    def test_a_restarted_vma_loses_no_running_job(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service(CONFIRMATION_WINDOW="4")
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        service.kill()
        vma.world.restart(reannounce=2.0)

        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        assert states_of(service) == {"resume"}

    def test_nor_while_it_is_being_polled(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service(CONFIRMATION_WINDOW="4")
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")

        vma.world.restart(reannounce=(1.5, 2.0))

        service.wait_for(JOB, vma_status="not_found")
        service.wait_for(JOB, state="replicating", vma_status="running")
        assert states_of(service) <= {"resume"}


class TestSeveralDisks:
    """One finished disk is no finished job; one failed disk is a failed job."""

    def test_a_job_with_one_finished_disk_goes_on(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service()
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        vma.world.finish(JOB, DISKS[0])
        service.kill()
        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        polls(vma)
        assert service.job(JOB)["state"] == "replicating"

        vma.world.finish(JOB)
        service.wait_for(JOB, state="completed", basis="observed")

    def test_a_finished_disk_beside_unknown_ones_is_no_finished_job(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
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
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        service.kill()
        vma.world.fail(JOB, "write error", disk=DISKS[1])
        service.start()

        job = service.wait_for(JOB, state="failed", rule="failed-on-vma", basis="observed")
        assert "write error" in job["decision"]["reason"]


class TestTheNextJobOfAVM:
    """Exports are named by volumes: until the next worker speaks, they say how the job before ended."""

    @pytest.mark.parametrize(("word", "state"), [("completed", "completed"), ("failed", "failed")])
    def test_how_the_last_job_ended_is_no_word_about_the_next(
        self, word: str, state: str, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(STARTUP_GRACE="60")
        export, said = f"migration-vol-{DISKS[0]}", {"percentage": 100.0, "timing": {"start_time": "10:00"}}
        vma.world.set_document(export, {"job_id": export, "status": word, **said})
        service.register("job-1", DISKS[0], vm_context_id="vm")
        service.wait_for("job-1", state=state, basis="observed")

        service.register("job-2", DISKS[0], vm_context_id="vm")
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
    """What looks like nothing, or like trouble, and is not."""

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
        vma.world.set_document(export, unchanged)
        service.register(JOB, DISKS[0])

        service.wait_for(JOB, state="completed", basis="observed")

    def test_half_a_copy_that_calls_itself_completed_is_no_finished_job(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        vma.world.add_job(JOB, DISKS, duration=3600, progress=41.5)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        vma.world.set_status(JOB, "completed", percent=41.5)

        job = service.wait_for(JOB, state="pending-retry", rule="unintelligible")
        assert "the VMA says completed, and 41.5 % beside it" in job["decision"]["reason"]
        polls(vma)
        service.kill()
        service.start()
        polls(vma)
        assert states_of(service) <= {"retry"}

        vma.world.set_status(JOB, "in_progress", percent=42.0)
        service.wait_for(JOB, state="replicating", rule="still-running")

    def test_a_failure_without_a_reason_is_a_failure_and_says_so(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service()
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        service.kill()
        vma.world.fail(JOB)
        service.start()

        job = service.wait_for(JOB, state="failed", rule="failed-on-vma")
        assert "the VMA gave no reason" in job["decision"]["reason"]

    def test_recoverable_errors_are_no_failure(self, vma: SimulatedVMA, start_service: StartService) -> None:
        service = start_service()
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30, recoverable_errors=True)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        service.kill()
        service.start()

        service.wait_for(JOB, state="replicating", rule="still-running")
        polls(vma)
        assert service.job(JOB)["state"] == "replicating"

    def test_a_dead_worker_shows_in_nothing_moving_and_is_not_failed(
        self, vma: SimulatedVMA, start_service: StartService
    ) -> None:
        service = start_service(STALLED_AFTER="2")
        vma.world.add_job(JOB, DISKS, duration=3600, progress=30)
        service.register(JOB, *DISKS)
        service.wait_for(JOB, vma_status="running")
        service.kill()
        vma.world.freeze(JOB)
        service.start()

        job = service.wait_for(JOB, state="replicating", stalled=True)
        assert job["needs_attention"]

        vma.world.resume(JOB)
        service.wait_for(JOB, state="replicating", stalled=False)


UNREACHABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": ("reset", {}),
    "502": ("status", {"code": 502}),
    "503": ("status", {"code": 503}),
    "504": ("status", {"code": 504}),
    "hanging": ("hang", {}),
    "dripping": ("drip", {}),
    "cut-off": ("short_body", {}),
}
"""The tunnel answers for a dead VMA; none of these is an answer about the job."""

UNINTELLIGIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "html": ("html", {}),
    "truncated": ("truncated", {}),
    "nan": ("nan", {}),
    "infinite": ("nan", {"literal": "1e999"}),
    "negative": ("out_of_range", {"percentage": -5.0}),
    "out-of-range": ("out_of_range", {"bytes": 0}),
    "wrong-id": ("wrong_id", {}),
    "huge": ("huge", {"megabytes": 20}),
    "redirect": ("redirect", {}),
    "list": ("list", {}),
    "deep": ("deep", {}),
    "bad-utf8": ("bad_utf8", {}),
    "empty": ("empty", {}),
    "gzip-bomb": ("gzip_bomb", {}),
    "500": ("status", {"code": 500}),
    "401": ("status", {"code": 401}),
}
"""Answers of the wrong kind: nothing is decided from them, and they are kept."""


def start_and_break(vma: SimulatedVMA, service: ServiceProcess, faults: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """Run a job for each fault, and break each job's answers its own way while the service is dead."""
    for name in faults:
        vma.world.add_job(name, [f"disk-{name}"], duration=3600, progress=30)
        service.register(name, f"disk-{name}")
    for name in faults:
        service.wait_for(name, vma_status="running")
    service.kill()
    for name, (mode, how) in faults.items():
        for asked_id in (name, f"migration-vol-disk-{name}"):
            vma.faults.set(mode, id=asked_id, **how)


def test_a_tunnel_that_answers_for_a_dead_vma_says_nothing_about_the_job(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    start_and_break(vma, service, UNREACHABLE)

    service.start()

    for name in UNREACHABLE:
        service.wait_for(name, state="pending-retry", rule="unreachable-recent", vma_status="unreachable")
    vma.faults.clear()
    for name in UNREACHABLE:
        service.wait_for(name, state="replicating", rule="still-running")


def test_one_id_that_hangs_takes_no_other_job_with_it(vma: SimulatedVMA, start_service: StartService) -> None:
    """The first question after a restart may be the one that is never answered."""
    names = ["job-0-hangs", *(f"job-{n}" for n in range(1, 5))]
    service = start_service(UNREACHABLE_TIMEOUT="0")
    for name in names:
        vma.world.add_job(name, [f"disk-{name}"], duration=3600, progress=30)
        service.register(name, f"disk-{name}")
    for name in names:
        service.wait_for(name, vma_status="running")
    service.kill()
    vma.faults.set("hang", id=f"migration-vol-disk-{names[0]}")

    service.start()

    service.wait_for(names[0], state="failed", rule="unreachable-too-long", basis="inferred")
    for name in names[1:]:
        service.wait_for(name, state="replicating", rule="still-running")
        assert states_of(service, name) == {"resume"}


def test_an_answer_of_the_wrong_kind_decides_nothing_and_is_kept(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(PROBE_TIMEOUT="3")
    start_and_break(vma, service, UNINTELLIGIBLE)

    service.start()

    for name in UNINTELLIGIBLE:
        job = service.wait_for(name, state="pending-retry", rule="unintelligible")
        decided = next(e for e in service.events(name) if e["type"] == "RecoveryDecided")
        answers = decided["data"]["evidence"]["observation"]["answers"]
        assert all(answer["detail"] for answer in answers)
        assert all(len(answer["excerpt"] or "") <= 512 for answer in answers)
        assert job["decision"]["basis"] is None
    vma.faults.clear()
    for name in UNINTELLIGIBLE:
        service.wait_for(name, state="replicating", rule="still-running")


@pytest.mark.parametrize("style", ["404_text", "200_text", "404_json"])
def test_not_found_is_understood_in_every_builds_words(
    style: str, vma: SimulatedVMA, start_service: StartService
) -> None:
    vma.faults.set("not_found_style", style=style)
    service = start_service()
    service.register(JOB, *DISKS, progress_percent=40)

    job = service.wait_for(JOB, state="failed", rule="lost", basis="inferred")
    assert job["vma_status"] == "not_found"


GENERATIONS = {
    f"{dialect}-{reports}": (dialect, reports)
    for dialect in ("current", "oldest")
    for reports in ("exports", "job_id", "both")
} | {"status-only": ("status_only", "job_id")}


def test_every_generation_of_worker_is_followed_to_the_end(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    for name, (dialect, reports) in GENERATIONS.items():
        vma.world.add_job(name, [f"disk-{name}"], duration=3600, progress=30, reports=reports, dialect=dialect)
        service.register(name, f"disk-{name}")
    for name in GENERATIONS:
        service.wait_for(name, vma_status="running")
    service.kill()
    service.start()
    for name in GENERATIONS:
        service.wait_for(name, state="replicating", rule="still-running")

    for name in GENERATIONS:
        vma.world.finish(name)

    for name in GENERATIONS:
        service.wait_for(name, state="completed", basis="observed")
