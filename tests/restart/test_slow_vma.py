"""A healthy VMA that is slower than its polls is polled less often, and fails no job."""

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import every_poll_counted, register_fleet, run_jobs
from tests.support.service import PATIENT, wait_until

SLOW = {"UNREACHABLE_TIMEOUT": "1", "UNREACHABLE_GRACE": "1", "STALE_AFTER": "1"}


def test_many_jobs_on_a_vma_that_answers_one_request_at_a_time_are_all_polled(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    with SimulatedVMA() as second:
        names = [f"job-{n:02}" for n in range(80)]
        for name in names:
            vma.world.add_job(name, [f"disk-{name}"], duration=3600, progress=30)
        vma.faults.set("serial", seconds=0.1)
        service = start_service(**SLOW, VMAS=f'{{"second": "{second.url}"}}')
        register_fleet(service, names)
        second.world.add_job("job-elsewhere", ["disk-elsewhere"], duration=3600)
        service.register("job-elsewhere", "disk-elsewhere", vma="second")

        # The polls need more than 200 answers per second, and the VMA gives 10.
        wait_until(lambda: service.get("/api/v1/polling").json()["vmas"]["default"]["lag_seconds"] > 3, 60)
        before = service.job("job-elsewhere")["live"]["polls"]
        wait_until(lambda: service.job("job-elsewhere")["live"]["polls"] > before + 10, 60)

        lags = service.get("/api/v1/polling").json()["vmas"]
        assert lags["second"]["lag_seconds"] < lags["default"]["lag_seconds"]
        assert {job["state"] for job in service.jobs()} == {"replicating"}
        assert not any(service.outcomes_of(name) for name in names[::10])
        assert service.logged("vma_polled_late")
        vma.faults.clear()
        wait_until(lambda: service.get("/api/v1/polling").json()["vmas"]["default"]["lag_seconds"] < 3, 60)


def test_they_are_all_resumed_after_a_restart(vma: SimulatedVMA, start_service: StartService) -> None:
    names = [f"job-{n:02}" for n in range(40)]
    service = start_service(**SLOW, **PATIENT)
    run_jobs(vma, service, names)
    service.kill()
    vma.faults.set("serial", seconds=0.1)

    service.start()

    run = wait_until(lambda: service.completed("restart"), 60)[0]
    assert (run["resumed"], run["polled_again"], run["rules"]) == (40, 40, {"still-running": 40})
    wait_until(lambda: every_poll_counted(service, 1), 60)


def test_a_job_of_many_disks_is_read_completely(vma: SimulatedVMA, start_service: StartService) -> None:
    disks = [f"disk-{n}" for n in range(64)]
    vma.world.add_job("job-1", disks, duration=3600, progress=30)
    service = start_service(**SLOW)
    vma.faults.set("serial", seconds=0.1)
    service.register("job-1", *disks)

    service.wait_for("job-1", 60, state="replicating", vma_status="running")
    # On a machine with more to do, an answer may come after its time limit, and is read by a later poll.
    wait_until(lambda: {disk["status"] for disk in service.job("job-1")["disks"]} == {"running"}, 60)
    polls = service.job("job-1")["live"]["polls"]
    wait_until(lambda: service.job("job-1")["live"]["polls"] > polls, 60)
    assert service.outcomes_of("job-1") == set()


def test_jobs_that_are_polled_less_often_than_stale_after_are_not_recovered(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(POLL_INTERVAL="2", STALE_AFTER="1")
    run_jobs(vma, service, ["job-1"])
    before = service.job("job-1")["live"]["polls"]

    wait_until(lambda: service.job("job-1")["live"]["polls"] >= before + 3)

    assert service.logged("job_unpolled") == []
    assert service.completed("stale") == []
