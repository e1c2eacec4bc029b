"""The hazards of a simulation, one function for each. A hazard is more frequent if it is listed more often."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.ground_truth import NEAR_END
from tests.simulation.network import Conditions

if TYPE_CHECKING:
    from tests.simulation.scenario import Simulation

Hazard = Callable[["Simulation"], None]

SOON = (0.1, 0.2, 0.4)
"""Virtual seconds until workers announce themselves again: well within the confirmation window, as in production."""


def _conditions(name: str, **how: object) -> Hazard:
    def change(simulation: "Simulation") -> None:
        conditions = simulation.any_conditions()
        for field, value in how.items():
            setattr(conditions, field, value)

    change.__name__ = name
    return change


def clear(simulation: "Simulation") -> None:
    simulation.conditions[simulation.any_vma()] = Conditions()
    simulation.disk.full, simulation.disk.lag = False, 0.0


def vma_restarts(simulation: "Simulation") -> None:
    simulation.ground_truth.restart(simulation.any_vma(), simulation.rng.choice(SOON))


def vma_restarts_and_workers_are_late(simulation: "Simulation") -> None:
    simulation.ground_truth.restart(simulation.any_vma(), (3.0, 4.0))


def vma_forgets_one(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    world.forget(job_id, simulation.rng.choice(SOON))


def job_vanishes(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    world.remove(job_id)


def worker_is_killed(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    world.kill(job_id)


def job_ends(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    if world.truth(job_id) == "running":
        # A disk that has been copied does not fail.
        finished = simulation.rng.random() < 0.5 or job_id in simulation.partly_completed
        world.finish(job_id) if finished else world.fail(job_id, "disk error")


def a_disk_ends(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    # A worker that shares one id copies its disks one after the other.
    if world.truth(job_id) == "running" and not simulation.ground_truth.jobs[job_id].reports.startswith("shared"):
        simulation.partly_completed.add(job_id)
        world.finish(job_id, simulation.rng.choice(simulation.ground_truth.jobs[job_id].volumes))


def job_freezes(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    simulation.ground_truth.frozen.add(job_id)
    world.freeze(job_id) if simulation.rng.random() < 0.5 else world.resume(job_id)


def odd_status(simulation: "Simulation") -> None:
    """State `paused`, or more than 100 percent, for a running job."""
    job_id, world = simulation.any_job()
    if world.truth(job_id) == "running":
        simulation.false_documents.add(job_id)
        world.say(job_id, **({"percent": 103.9} if world.progress(job_id) > NEAR_END else {"status": "paused"}))


def completion_contradicts_itself(simulation: "Simulation") -> None:
    job_id, world = simulation.any_job()
    if world.truth(job_id) == "running":
        simulation.false_documents.add(job_id)
        world.contradict(job_id)


def clock_is_set(simulation: "Simulation") -> None:
    hours = simulation.rng.choice([0, 1, -1, 7, -24 * 365, 24 * 365 * 10])
    simulation.machine.set_off = timedelta(hours=hours)


def disk_troubles(simulation: "Simulation") -> None:
    simulation.disk.full = simulation.rng.random() < 0.5
    simulation.disk.lag = simulation.rng.choice([0.0, 0.05, 0.4])


def process_is_suspended(simulation: "Simulation") -> None:
    simulation.suspend(simulation.rng.choice([0.5, 3.0, 9.0]))


def next_job_of_a_volume(simulation: "Simulation") -> None:
    simulation.request(simulation.begin_next_job())


def second_job_on_a_busy_volume(simulation: "Simulation") -> None:
    simulation.request(simulation.register_on_a_busy_volume())


def worker_reports(simulation: "Simulation") -> None:
    simulation.request(simulation.report())


def operator_decides(simulation: "Simulation") -> None:
    simulation.request(simulation.decide_by_hand())


def operator_recovers(simulation: "Simulation") -> None:
    simulation.request(simulation.recover_by_hand())


HAZARDS: list[Hazard] = [
    clear,
    clear,
    clear,
    _conditions("vma_refuses", refused=True),
    _conditions("vma_is_silent", silent=True),
    _conditions("answers_are_lost", lost=0.3),
    _conditions("answers_are_garbled", garbled=0.3),
    _conditions("all_answers_are_garbled", garbled=1.0),
    _conditions("vma_is_slow", latency=0.5),
    _conditions("vma_answers_one_at_a_time", serial=0.05),
    _conditions("login_is_refused", status=401),
    _conditions("too_many_requests", status=429),
    _conditions("server_errors", status=500),
    _conditions("machine_is_out_of_files", out_of_files=True),
    vma_restarts,
    vma_restarts_and_workers_are_late,
    vma_forgets_one,
    job_vanishes,
    job_vanishes,
    worker_is_killed,
    job_ends,
    a_disk_ends,
    a_disk_ends,
    job_freezes,
    odd_status,
    completion_contradicts_itself,
    disk_troubles,
    clock_is_set,
    process_is_suspended,
    next_job_of_a_volume,
    next_job_of_a_volume,
    second_job_on_a_busy_volume,
    worker_reports,
    worker_reports,
    operator_decides,
    operator_recovers,
]
