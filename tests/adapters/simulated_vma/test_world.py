"""The simulated VMA misleads as the real one does."""

import httpx
import pytest

from adapters.simulated_vma import SimulatedVMA
from adapters.simulated_vma.world import World
from tests.support.clock import FakeClock


def status(world: World, asked_id: str) -> str | None:
    document = world.progress_of(asked_id)
    return str(document["status"]) if document else None


def test_a_job_continues_with_time_and_completes(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a"], duration=100)
    clock.advance(41)
    assert world.progress("job-1") == pytest.approx(41)

    clock.advance(60)

    assert (world.truth("job-1"), world.progress("job-1")) == ("completed", 100.0)


def test_an_export_has_the_earlier_jobs_final_document_until_the_next_worker_starts(
    world: World, clock: FakeClock
) -> None:
    world.add_job("job-1", ["a"], duration=10)
    clock.advance(20)
    ended = world.progress_of("migration-vol-a")
    world.add_job("job-2", ["a"], duration=10, starts_in=5)
    clock.advance(4)
    still = world.progress_of("migration-vol-a")
    assert ended is not None
    assert still is not None
    assert (still["percentage"], still["timing"]["start_time"]) == (100.0, ended["timing"]["start_time"])

    clock.advance(2)

    begun = world.progress_of("migration-vol-a")
    assert begun is not None
    assert begun["percentage"] == pytest.approx(10.0)
    assert begun["timing"]["start_time"] != ended["timing"]["start_time"]


def test_a_restart_forgets_everything_and_running_workers_come_back_one_by_one(world: World, clock: FakeClock) -> None:
    for n in range(5):
        world.add_job(f"job-{n}", [f"disk-{n}"], duration=1000)
    world.finish("job-4")
    clock.advance(10)

    world.restart(reannounce=(4.0, 8.0))

    known = []
    for _ in range(9):
        known.append(sum(status(world, f"migration-vol-disk-{n}") is not None for n in range(5)))
        clock.advance(1)
    assert known == [0, 0, 0, 0, 1, 2, 3, 4, 4]
    assert world.truth("job-4") == "completed"


def test_a_shared_id_is_completed_between_two_disks(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a", "b"], reports="shared_job_id", duration=40, disk_gap=5)
    finished = []
    for _ in range(20):
        finished.append((status(world, "job-1") or "").lower() in {"completed", "succeeded"})
        clock.advance(5)

    assert finished == [False] * 8 + [True] + [False] * 8 + [True] * 3


def test_a_dead_workers_document_stays(world: World, clock: FakeClock) -> None:
    world.add_job("job-1", ["a"], duration=100)
    clock.advance(30)
    world.freeze("job-1")
    before = world.progress("job-1")
    clock.advance(30)

    assert world.progress("job-1") == before
    assert status(world, "migration-vol-a") is not None


def test_the_oldest_form_nests_its_figures(world: World) -> None:
    world.add_job("job-1", ["a", "b"], reports="job_id", dialect="oldest", progress=40.0, duration=100)

    document = world.progress_of("job-1")

    assert document is not None
    assert set(document) >= {"stage", "aggregate", "disks"}
    assert "percentage" not in document


def test_a_workers_own_report_creates_its_id(vma: SimulatedVMA) -> None:
    url = f"{vma.url}/api/v1/progress/migration-vol-new"

    first = httpx.post(f"{url}/update", json={"stage": "Transfer", "percent": 12.5}, trust_env=False)
    again = httpx.post(f"{url}/update", json={"stage": "Transfer", "percent": 13.0}, trust_env=False)

    assert (first.json().get("auto_initialized"), again.json().get("auto_initialized")) == (True, None)
    assert httpx.get(url, trust_env=False).json()["percentage"] == 13.0
