"""Several instances that share the VMAs: each VMA has one owner, and whoever dies, stops or leaves has a successor."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.support import postgres as server
from tests.support.service import PATIENT, ServiceProcess, wait_until

VMAS = ("vma-1", "vma-2", "vma-3", "vma-4", "vma-5")
"""Beside `default` and the rest: seven shares."""

Join = Callable[..., ServiceProcess]


@pytest.fixture
def join(vma: SimulatedVMA, tmp_path: Path) -> Iterator[Join]:
    """Return a function that starts an instance on the same log."""
    with server.new_schema() as schema, ExitStack() as started:
        where = {"DATABASE_URL": server.url_to(server.port()), "DATABASE_SCHEMA": schema}
        vmas = json.dumps(dict.fromkeys(VMAS, vma.url))

        def start(name: str, *, wait: bool = True, **settings: str) -> ServiceProcess:
            service = ServiceProcess(tmp_path / name, vma.url, VMAS=vmas, **{**where, **PATIENT, **settings})
            started.callback(service.close)
            service.begin()
            if wait:
                service.connect()
            return service

        yield start


def owned(service: ServiceProcess) -> dict[str, list[str]]:
    """Return what each instance owns, as one of them shows it."""
    found = service.get("/api/v1/instances")
    return {one["address"]: one["vmas"] for one in found.json()["items"]} if found.is_success else {}


def shared(service: ServiceProcess, instances: int) -> dict[str, list[str]]:
    """Wait until so many instances own all shares, evenly; return what each owns."""

    def even() -> dict[str, list[str]] | None:
        found = owned(service)
        counts = [len(vmas) for vmas in found.values()]
        complete = sum(counts) == len(VMAS) + 2 and len(counts) == instances
        return found if complete and max(counts) - min(counts) <= 1 else None

    return wait_until(even, what=f"{instances} instances with even shares")


def run_jobs(vma: SimulatedVMA, service: ServiceProcess, *vmas: str) -> list[str]:
    """Register a running job on each of these VMAs; return the ids."""
    names = [f"job-on-{name}" for name in vmas]
    for name, of in zip(names, vmas, strict=True):
        vma.world.add_job(name, [f"disk-of-{name}"], progress=41.0, duration=36_000)
        service.register(name, f"disk-of-{name}", vma=of)
    return names


def polled(service: ServiceProcess) -> set[str]:
    """Return the jobs that an instance polls itself."""
    jobs: list[dict[str, Any]] = service.jobs()
    return {job["job_id"] for job in jobs if job["live"]}


def all_polled(names: list[str], *services: ServiceProcess) -> bool:
    """Return whether each job is polled, by one of these instances."""
    found = [name for service in services for name in polled(service)]
    return sorted(found) == sorted(names)


def two_with_jobs(vma: SimulatedVMA, join: Join, **settings: str) -> tuple[ServiceProcess, ServiceProcess, list[str]]:
    """Return two instances that share the VMAs, and the jobs that they poll, one on each VMA."""
    first, second = join("first", **settings), join("second", **settings)
    shared(first, 2)
    names = run_jobs(vma, first, "default", *VMAS)
    wait_until(lambda: all_polled(names, first, second), what="each job is polled by one instance")
    return first, second, names


def test_two_instances_share_the_vmas_and_a_job_is_watched_by_one(vma: SimulatedVMA, join: Join) -> None:
    first, second = join("first"), join("second")
    shares = shared(first, 2)

    names = run_jobs(vma, first, "default", *VMAS)

    wait_until(lambda: all_polled(names, first, second), what="each job is polled by one instance")
    assert shares[first.url] == owned(second)[first.url]
    assert [one.get("/readyz").json()["degraded"] for one in (first, second)] == [[], []]
    on_second = {f"job-on-{name}" for name in shares[second.url]} & set(names)
    assert polled(second) == on_second
    assert second.job(names[0])["state"] == "replicating"


def test_each_shows_how_far_the_other_is_behind_which_is_nothing_after_a_moment(vma: SimulatedVMA, join: Join) -> None:
    first, second, _ = two_with_jobs(vma, join)

    for asked in (first, second):
        head = asked.get("/api/v1/audit/seal").json()["position"]

        def caught_up(asked: ServiceProcess = asked, head: int = head) -> bool:
            found = asked.get("/api/v1/instances").json()["items"]
            return [one["lag_events"] for one in found] == [0, 0] and all(one["position"] >= head for one in found)

        wait_until(caught_up, what="both have all events")


def test_what_one_decides_ends_what_another_polls(vma: SimulatedVMA, join: Join) -> None:
    first, second, names = two_with_jobs(vma, join)
    of_second = min(polled(second))

    first.decide(of_second, "fail", "checked by hand")

    wait_until(lambda: of_second not in polled(second), what="it is polled no more")
    wait_until(lambda: second.job(of_second)["state"] == "failed")
    rest = [name for name in names if name != of_second]
    assert all_polled(rest, first, second)


def test_the_jobs_of_an_instance_that_is_killed_are_taken_over_and_shared_again_when_it_is_back(
    vma: SimulatedVMA, join: Join
) -> None:
    first, second, names = two_with_jobs(vma, join)
    of_second = polled(second)

    second.kill()

    wait_until(lambda: all_polled(names, first), what="all are polled by the first one")
    runs = wait_until(lambda: first.completed("takeover"), what="the end of the run")
    assert sum(run["polled_again"] for run in runs) == sum(run["resumed"] for run in runs) == len(of_second)
    assert {first.wait_for(name)["decision"]["rule"] for name in of_second} == {"still-running"}
    second.start()
    shared(first, 2)
    wait_until(lambda: all_polled(names, first, second))


def test_an_instance_that_is_stopped_is_replaced_and_stores_nothing_as_an_owner_when_it_goes_on(
    vma: SimulatedVMA, join: Join
) -> None:
    first, second, names = two_with_jobs(vma, join)
    os.kill(second.process.pid, signal.SIGSTOP)

    wait_until(lambda: all_polled(names, first), what="all are polled by the first one")
    os.kill(second.process.pid, signal.SIGCONT)

    shared(first, 2)
    wait_until(lambda: all_polled(names, first, second))
    for name in names:
        runs = [event["data"].get("run_id") for event in first.events(name) if event["type"] == "RecoveryDecided"]
        assert len(runs) == len(set(runs)), f"{name} is decided twice in a run"
        assert first.outcomes_of(name) <= {"resume"}


def test_the_jobs_of_one_that_ends_are_taken_over_at_once(vma: SimulatedVMA, join: Join) -> None:
    first, second, names = two_with_jobs(vma, join)

    assert second.terminate() == 0

    wait_until(lambda: all_polled(names, first), what="all are polled by the first one")


def test_eight_instances_that_start_at_once_come_up_and_share_evenly(join: Join) -> None:
    services = [join(f"instance-{n}", wait=False) for n in range(8)]
    for service in services:
        service.connect()

    shares = shared(services[0], 8)

    assert sorted(vma for vmas in shares.values() for vma in vmas) == sorted(["*", "default", *VMAS])


def test_a_run_that_an_operator_asks_one_for_covers_the_jobs_of_all(vma: SimulatedVMA, join: Join) -> None:
    first, _, names = two_with_jobs(vma, join)

    assert first.post("/api/v1/recovery-runs", {}).status_code == 202

    for name in names:
        first.wait_for(name, rule="still-running", state="replicating")
        causes = [event["data"]["cause"] for event in first.events(name) if event["type"] == "RecoveryStarted"]
        assert causes.count("operator") == 1, f"{name} was recovered by {causes}"


def test_a_job_is_polled_by_another_instance_and_any_of_them_says_so(vma: SimulatedVMA, join: Join) -> None:
    first, second, _ = two_with_jobs(vma, join)
    of_second = min(polled(second))

    found = first.get(f"/api/v1/polling/{of_second}").json()

    assert (found["watched_by"], found["polled"]) == ("poller", True)
    # Without its owner, the other one says whom it has asked.
    os.kill(second.process.pid, signal.SIGSTOP)
    refused = first.get(f"/api/v1/polling/{of_second}")
    os.kill(second.process.pid, signal.SIGCONT)
    assert (refused.status_code, second.url in refused.json()["detail"]) == (503, True)


def test_a_workers_report_reaches_the_owner_of_its_job_by_any_instance(vma: SimulatedVMA, join: Join) -> None:
    first, second, _ = two_with_jobs(vma, join, CONFIRMATION_WINDOW="4")
    of_second = min(polled(second))
    vma.world.remove(of_second)

    def reported() -> bool:
        answer = first.post(f"/api/v1/telemetry/replication/{of_second}", {"status": "in_progress", "timestamp": None})
        assert answer.is_success, answer.text
        # On a busy machine a report may come after the recovery has begun, which it then ends.
        live = second.job(of_second)["live"]
        return live is not None and live["polls"] >= 20

    wait_until(reported, what="polls for longer than it takes to confirm that it is not found")
    assert first.outcomes_of(of_second) <= {"resume"}


def test_a_job_that_is_registered_at_one_instance_is_watched_by_the_owner_of_its_vma(
    vma: SimulatedVMA, join: Join
) -> None:
    first, second = join("first"), join("second")
    shares = shared(first, 2)
    of_second = next(name for name in shares[second.url] if name in VMAS)

    (name,) = run_jobs(vma, first, of_second)

    wait_until(lambda: polled(second) == {name}, within=10, what="the owner polls it")
    assert polled(first) == set()
    taken = first.post(
        "/api/v1/jobs", {"job_id": "job-2", "vm_name": "vm", "volume_ids": [f"disk-of-{name}"], "vma": of_second}
    )
    assert taken.status_code == 409
