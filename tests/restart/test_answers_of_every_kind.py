"""Unusable answers, and the vocabulary of every build, with the real process and a real HTTP server."""

from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess

UNREACHABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": ("reset", {}),
    "502": ("status", {"code": 502}),
    "503": ("status", {"code": 503}),
    "504": ("status", {"code": 504}),
    "hanging": ("hang", {}),
    "dripping": ("drip", {}),
    "cut-off": ("short_body", {}),
}
"""Answers of a tunnel whose VMA is dead."""


UNINTELLIGIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "html": ("html", {}),
    "truncated": ("truncated", {}),
    "nan": ("nan", {}),
    "infinite": ("nan", {"literal": "1e999"}),
    "wrong-id": ("wrong_id", {}),
    "huge": ("huge", {"megabytes": 20}),
    "redirect": ("redirect", {}),
    "list": ("list", {}),
    "deep": ("deep", {"depth": 10_000}),
    "bad-utf8": ("bad_utf8", {}),
    "empty": ("empty", {}),
    "gzip-bomb": ("gzip_bomb", {}),
    "500": ("status", {"code": 500}),
}
"""Answers of the wrong kind: they are stored, and nothing is decided from them."""

PARTLY_READABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "negative": ("out_of_range", {"percentage": -5.0}),
    "above-a-hundred": ("out_of_range", {"percentage": 103.7, "bytes": 0}),
}
"""Documents with an invalid figure: the other fields count."""


def start_and_break(vma: SimulatedVMA, service: ServiceProcess, faults: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """Run a job for each fault, and inject the faults while the service is stopped."""
    run_jobs(vma, service, faults)
    service.kill()
    for name, (mode, how) in faults.items():
        for asked_id in (name, f"migration-vol-disk-{name}"):
            vma.faults.set(mode, id=asked_id, **how)


def test_answers_of_a_tunnel_for_a_dead_vma_are_not_conclusive(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service()
    start_and_break(vma, service, UNREACHABLE)
    vma.faults.set("tunnel", place="health")

    service.start()

    for name in UNREACHABLE:
        service.wait_for(name, state="pending-retry", rule="unreachable-recent", vma_status="unreachable")
    vma.faults.clear()
    for name in UNREACHABLE:
        service.wait_for(name, state="replicating", rule="still-running")


def test_an_unreadable_figure_does_not_end_a_job(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(UNREACHABLE_TIMEOUT="0")
    start_and_break(vma, service, PARTLY_READABLE)

    service.start()

    for name in PARTLY_READABLE:
        service.wait_for(name, state="replicating", rule="still-running", vma_status="running")


def test_one_id_that_hangs_affects_no_other_job(vma: SimulatedVMA, start_service: StartService) -> None:
    """The first request after a restart may be the one that is never answered."""
    names = ["job-0-hangs", *(f"job-{n}" for n in range(1, 5))]
    service = start_service(UNREACHABLE_TIMEOUT="0", UNREACHABLE_GRACE="0")
    run_jobs(vma, service, names)
    service.kill()
    vma.faults.set("hang", id=f"migration-vol-disk-{names[0]}")

    service.start()

    service.wait_for(names[0], state="pending-retry", rule="unanswered")
    for name in names[1:]:
        service.wait_for(name, state="replicating", rule="still-running")
        assert service.outcomes_of(name) == {"resume"}


def test_an_answer_of_the_wrong_kind_decides_nothing_and_is_stored(
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
def test_not_found_is_recognised_in_the_vocabulary_of_every_build(
    style: str, vma: SimulatedVMA, start_service: StartService
) -> None:
    vma.faults.set("not_found_style", style=style)
    service = start_service()
    service.register("job-1", "disk-a", "disk-b", progress_percent=40)

    job = service.wait_for("job-1", state="failed", rule="lost", basis="inferred")
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
