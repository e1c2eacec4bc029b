"""Settings that are wrong after a restart fail no job, because a VMA that was not asked is not evidence."""

import json
import socket

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import wait_until

JOBS = ["job-1", "job-2"]
QUICK = {"UNREACHABLE_TIMEOUT": "1", "STARTUP_GRACE": "1"}


def test_a_vma_that_is_missing_from_the_settings_fails_no_job(vma: SimulatedVMA, start_service: StartService) -> None:
    with SimulatedVMA() as second:
        service = start_service(VMAS=json.dumps({"dc2": second.url}), **QUICK)
        run_jobs(vma, service, ["job-here"])
        for name in JOBS:
            second.world.add_job(name, [f"disk-{name}"], duration=100_000, progress=95)
            service.register(name, f"disk-{name}", vma="dc2")
            service.wait_for(name, vma_status="running")
        service.terminate()
        service.settings.pop("VMAS")
        service.start()

        for name in JOBS:
            job = service.wait_for(name, state="pending-retry", rule="not-asked", needs_attention=True)
            assert "the VMA dc2 is not in the settings" in job["attention"][0]
        assert [(w["vma"], w["jobs"]) for w in service.logged("jobs_without_vma")] == [("dc2", 2)]
        ready = service.get("/readyz")
        assert ready.status_code == 200
        assert "the VMA dc2 is not in the settings" in ready.json()["degraded"][0]
        service.wait_for("job-here", state="replicating")

        service.terminate()
        service.settings["VMAS"] = json.dumps({"dc2": second.url})
        service.start()
        for name in JOBS:
            service.wait_for(name, state="replicating", rule="still-running", needs_attention=False)
            assert service.outcomes_of(name) <= {"retry", "resume"}
        assert service.get("/readyz").json()["degraded"] == []


def test_an_address_of_another_vma_fails_and_completes_no_job(vma: SimulatedVMA, start_service: StartService) -> None:
    with SimulatedVMA() as another:
        service = start_service(**QUICK)
        run_jobs(vma, service, ["job-1"], progress=40, duration=100_000)
        run_jobs(vma, service, ["job-2"], progress=95, duration=100_000)
        service.terminate()
        service.settings["VMA_URL"] = another.url
        service.start()

        for name in JOBS:
            job = service.wait_for(name, state="pending-retry", rule="vma-replaced", needs_attention=True)
            assert "another address" in job["attention"][0]
        service.terminate()
        service.settings["VMA_URL"] = vma.url
        service.start()

        for name in JOBS:
            service.wait_for(name, state="replicating", rule="still-running")
            assert service.outcomes_of(name) <= {"retry", "resume"}


def test_an_address_without_an_answer_fails_no_job(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, JOBS)
    service.terminate()
    # A port that is bound refuses connections until somebody listens, and nobody else can get it.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        service.settings["VMA_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        service.start()

        asked = wait_until(lambda: service.job("job-1")["attention"], what="attention")

        assert "Check its tunnel and its address" in asked[0]
        for name in JOBS:
            assert service.job(name)["state"] in {"pending-retry", "recovering"}
            assert service.outcomes_of(name) <= {"retry"}


def test_the_same_vma_at_another_address_is_recognised_and_its_lost_job_is_lost(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, JOBS)
    service.terminate()
    vma.world.remove("job-2")
    service.settings["VMA_URL"] = vma.url.replace("127.0.0.1", "localhost")
    service.start()

    service.wait_for("job-1", state="replicating", rule="still-running")
    service.wait_for("job-2", state="failed", rule="lost")


def test_the_start_logs_the_numbers_of_the_decision_table(start_service: StartService) -> None:
    service = start_service(COMPLETE_ABOVE_PERCENT="95", UNREACHABLE_TIMEOUT="60")

    (started,) = service.logged("service_started")

    assert started["policy"]["complete_above_percent"] == 95
    assert started["policy"]["unreachable_timeout"] == 60
