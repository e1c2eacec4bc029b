"""Restarts with many jobs, some with the settings of production."""

import random
import time
from collections import Counter

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import LIST_EVERY, PRODUCTION, every_poll_counted, register_fleet, wait_for_all
from tests.support.service import PATIENT, ServiceProcess, wait_until


def start_world(vma: SimulatedVMA, names: list[str], **how: float) -> None:
    for name in names:
        vma.world.add_job(name, [f"disk-{name}"], **{"duration": 3600, "progress": 20, **how})


def test_many_running_jobs_are_resumed_and_polled(
    vma: SimulatedVMA, start_service: StartService, fleet: list[str]
) -> None:
    vma.latency = 0.02
    start_world(vma, fleet)
    service = start_service(**PRODUCTION)
    register_fleet(service, fleet)
    wait_for_all(service, 60, vma_status="running")
    service.kill()

    service.start()
    wait_for_all(service, 60, state="replicating")
    completed = wait_until(lambda: service.completed("restart"), 60)[0]

    assert (completed["resumed"], completed["polled_again"]) == (len(fleet), len(fleet))
    wait_until(lambda: every_poll_counted(service, at_least=3), 60, "polls going on", LIST_EVERY)
    assert all(job["decision"]["rule"] == "still-running" for job in service.jobs())


def test_a_vma_that_is_down_is_detected_once_and_its_jobs_resume_with_it(
    vma: SimulatedVMA, start_service: StartService, fleet: list[str]
) -> None:
    start_world(vma, fleet)
    service = start_service(**PRODUCTION)
    register_fleet(service, fleet)
    wait_for_all(service, 60, vma_status="running")
    service.kill()
    vma.faults.set("hang")
    asked = vma.requests.total

    service.start()
    wait_for_all(service, 60, state="pending-retry")

    assert vma.requests.total - asked < 50
    vma.faults.clear()
    wait_for_all(service, 60, state="replicating")


def test_a_vma_that_restarts_loses_no_job_however_late_its_workers_report(
    vma: SimulatedVMA, start_service: StartService, fleet: list[str]
) -> None:
    start_world(vma, fleet)
    service = start_service(**PRODUCTION)
    register_fleet(service, fleet)
    wait_for_all(service, 60, vma_status="running")

    vma.world.restart(reannounce=20.0)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 20.0, 30, "all workers to announce themselves")
    wait_for_all(service, 90, state="replicating", vma_status="running")

    outcomes = Counter(
        event["data"]["outcome"]
        for name in fleet
        for event in service.events(name)
        if event["type"] == "RecoveryDecided"
    )
    assert set(outcomes) <= {"resume", "retry"}


def test_repeated_kills_during_recovery_decide_nothing_twice(
    vma: SimulatedVMA, start_service: StartService, fleet: list[str], kills: int
) -> None:
    start_world(vma, fleet)
    service = start_service(**PRODUCTION)
    register_fleet(service, fleet)
    wait_for_all(service, 60, vma_status="running")
    finished = set(fleet[: len(fleet) // 2])
    for name in finished:
        vma.world.finish(name)
    seed = random.randrange(2**32)
    moments = random.Random(seed)

    for _ in range(kills):
        service.kill()
        service.start(ready=False)
        wait_until(lambda: service.logged("recovery_scan_started"), 30)
        time.sleep(moments.uniform(0.0, 2.0))  # a kill at a random time
    service.kill()
    service.start()

    wait_until(lambda: service.logged("recovery_completed"), 60)
    expected = {name: "completed" if name in finished else "replicating" for name in fleet}
    # The read model follows the log, and the log line of the run may be written first.
    wait_until(lambda: {job["job_id"]: job["state"] for job in service.jobs()} == expected, 30, f"states, seed {seed}")
    check_histories(service, fleet, seed)


def check_histories(service: ServiceProcess, fleet: list[str], seed: int) -> None:
    """Check that versions have no gap, and that each run has at most one decision per job."""
    for name in fleet:
        events = service.events(name)
        assert [event["version"] for event in events] == list(range(1, len(events) + 1)), (name, seed)
        decided = Counter(e["data"]["run_id"] for e in events if e["type"] == "RecoveryDecided")
        assert all(times == 1 for times in decided.values()), (name, seed)


@pytest.mark.parametrize("percent", [95.0, 40.0])
def test_a_missing_job_among_many_running_ones_is_decided_by_its_own_progress(
    percent: float, vma: SimulatedVMA, start_service: StartService, fleet: list[str]
) -> None:
    names = fleet[:50]
    start_world(vma, names)
    vma.world.set_status("job-0000", "in_progress", percent=percent)
    service = start_service(**PATIENT)
    register_fleet(service, names)
    wait_for_all(service, 60, vma_status="running")
    service.kill()
    vma.world.remove("job-0000")

    service.start()

    rule = "gone-near-end" if percent > 90 else "lost"
    service.wait_for("job-0000", rule=rule, basis="inferred")
    wait_until(lambda: Counter(job["state"] for job in service.jobs())["replicating"] == 49, what="49 that are resumed")
