"""Everything that goes wrong in a simulation, one function for each, and how often each occurred."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.network import Weather
from tests.simulation.truth import NEAR_END

if TYPE_CHECKING:
    from tests.simulation.scenario import Simulation

Trouble = Callable[["Simulation"], None]

SOON = (0.1, 0.2, 0.4)
"""Virtual seconds until workers announce themselves again: well within the confirmation window, as in production."""


def _weather(name: str, **how: object) -> Trouble:
    def change(story: "Simulation") -> None:
        weather = story.any_weather()
        for field, value in how.items():
            setattr(weather, field, value)

    change.__name__ = name
    return change


def clear(story: "Simulation") -> None:
    story.weather[story.any_vma()] = Weather()
    story.disk.full, story.disk.lag = False, 0.0


def vma_restarts(story: "Simulation") -> None:
    story.worlds[story.any_vma()].restart(reannounce=story.rng.choice(SOON))


def vma_restarts_and_workers_are_late(story: "Simulation") -> None:
    story.worlds[story.any_vma()].restart(reannounce=(3.0, 4.0))


def vma_forgets_one(story: "Simulation") -> None:
    job_id, world = story.any_job()
    world.forget(job_id, story.rng.choice(SOON))


def job_vanishes(story: "Simulation") -> None:
    job_id, world = story.any_job()
    world.remove(job_id)


def worker_is_killed(story: "Simulation") -> None:
    job_id, world = story.any_job()
    world.kill(job_id)


def job_ends(story: "Simulation") -> None:
    job_id, world = story.any_job()
    if world.truth(job_id) == "running":
        # What has been copied does not fail any more.
        finished = story.rng.random() < 0.5 or job_id in story.partly_finished
        world.finish(job_id) if finished else world.fail(job_id, "disk error")


def a_disk_ends(story: "Simulation") -> None:
    job_id, world = story.any_job()
    # A worker that shares one id takes its disks one after the other.
    if world.truth(job_id) == "running" and not story.reality.jobs[job_id].reports.startswith("shared"):
        story.partly_finished.add(job_id)
        world.finish(job_id, story.rng.choice(story.reality.jobs[job_id].volumes))


def job_freezes(story: "Simulation") -> None:
    job_id, world = story.any_job()
    story.reality.frozen.add(job_id)
    world.freeze(job_id) if story.rng.random() < 0.5 else world.resume(job_id)


def odd_words(story: "Simulation") -> None:
    """Say paused, or more than a hundred percent, of a job that runs."""
    job_id, world = story.any_job()
    if world.truth(job_id) == "running":
        story.lied_about.add(job_id)
        world.say(job_id, **({"percent": 103.9} if world.progress(job_id) > NEAR_END else {"status": "paused"}))


def completion_contradicts_itself(story: "Simulation") -> None:
    job_id, world = story.any_job()
    if world.truth(job_id) == "running":
        story.lied_about.add(job_id)
        world.contradict(job_id)


def clock_is_set(story: "Simulation") -> None:
    hours = story.rng.choice([0, 1, -1, 7, -24 * 365, 24 * 365 * 10])
    story.machine.set_off = timedelta(hours=hours)


def disk_troubles(story: "Simulation") -> None:
    story.disk.full = story.rng.random() < 0.5
    story.disk.lag = story.rng.choice([0.0, 0.05, 0.4])


def process_is_suspended(story: "Simulation") -> None:
    story.suspend(story.rng.choice([0.5, 3.0, 9.0]))


def next_job_of_a_volume(story: "Simulation") -> None:
    story.errand(story.begin_next_job())


def second_job_on_a_busy_volume(story: "Simulation") -> None:
    story.errand(story.register_on_a_busy_volume())


def worker_reports(story: "Simulation") -> None:
    story.errand(story.report())


def operator_decides(story: "Simulation") -> None:
    story.errand(story.decide_by_hand())


def operator_recovers(story: "Simulation") -> None:
    story.errand(story.recover_by_hand())


TROUBLES: list[Trouble] = [
    clear,
    clear,
    clear,
    _weather("vma_refuses", refused=True),
    _weather("vma_is_silent", silent=True),
    _weather("answers_are_lost", lost=0.3),
    _weather("answers_are_garbled", garbled=0.3),
    _weather("all_answers_are_garbled", garbled=1.0),
    _weather("vma_is_slow", latency=0.5),
    _weather("vma_answers_one_at_a_time", serial=0.05),
    _weather("login_is_refused", status=401),
    _weather("too_many_requests", status=429),
    _weather("server_errors", status=500),
    _weather("machine_is_out_of_files", out_of_files=True),
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
    odd_words,
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
