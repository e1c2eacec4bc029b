"""Unusable answers fail no job, however long they last: they are retried, and the job needs attention."""

from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from tests.restart.conftest import StartService
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess, wait_until

JOB, EXPORT = "job-1", "migration-vol-disk-job-1"
QUICK = {"UNREACHABLE_TIMEOUT": "1", "UNREACHABLE_GRACE": "1"}


def asked_for_long(vma: SimulatedVMA, service: ServiceProcess) -> None:
    """Wait until the job was decided `retry`, and was then probed for longer than every timeout."""
    service.wait_for(JOB, state="pending-retry", needs_attention=True)
    at = vma.requests.total
    wait_until(lambda: vma.requests.total >= at + 8, what="asked on")


@pytest.mark.parametrize(
    ("fault", "rule", "says"),
    [
        ({"mode": "status", "code": 401}, "not-asked", "login refused (HTTP 401). Update its address"),
        ({"mode": "status", "code": 403}, "not-asked", "login refused (HTTP 403)"),
        ({"mode": "status", "code": 500}, "unintelligible", "HTTP 500"),
        ({"mode": "html"}, "unintelligible", "cannot be read"),
        ({"mode": "truncated"}, "unintelligible", "not JSON"),
        ({"mode": "word", "word": "levitating"}, "unintelligible", "levitating"),
        ({"mode": "wrong_id"}, "unintelligible", "another id"),
    ],
    ids=lambda given: given if isinstance(given, str) else str(given.get("code", given.get("word", given["mode"]))),
)
def test_they_fail_no_job_and_attention_gives_the_reason(
    fault: dict[str, Any], rule: str, says: str, vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, [JOB])
    vma.faults.set(**fault)

    asked_for_long(vma, service)

    job = service.job(JOB)
    assert job["decision"]["rule"] == rule
    assert says in job["attention"][0]
    assert service.outcomes_of(JOB) == {"retry"}
    vma.faults.clear()
    service.wait_for(JOB, state="replicating", rule="still-running", needs_attention=False)


def test_http_429_fails_no_job_and_retry_after_is_obeyed(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, [JOB])
    vma.faults.set("status", code=429, headers={"Retry-After": "4"}, place="ids")
    asked = vma.requests.count(EXPORT)
    wait_until(lambda: vma.requests.count(EXPORT) > asked, what="told to wait")

    job = service.wait_for(JOB, state="pending-retry", rule="unanswered")

    assert "HTTP 429" in job["decision"]["reason"]
    assert vma.requests.count(EXPORT) <= asked + 2
    vma.faults.clear()
    service.wait_for(JOB, state="replicating", rule="still-running")
    assert service.outcomes_of(JOB) == {"retry", "resume"}


@pytest.mark.parametrize(
    ("fault", "shown"),
    [({"mode": "word", "word": "paused"}, 40.0), ({"mode": "percentage", "percentage": 103.7}, 100.0)],
    ids=["paused", "103.7 %"],
)
def test_one_invalid_field_does_not_invalidate_a_document(
    fault: dict[str, Any], shown: float, vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, [JOB], progress=40, duration=1e9)
    vma.faults.set(**fault)

    at = vma.requests.total
    wait_until(lambda: vma.requests.total >= at + 10, what="polled on")

    job = service.job(JOB)
    assert (job["state"], job["vma_status"], job["decision"]) == ("replicating", "running", None)
    assert job["live"]["progress_percent"] == pytest.approx(shown, abs=0.1)


@pytest.mark.parametrize("word", ["cancelled", "aborted"])
def test_a_cancelled_worker_fails_the_job_with_that_status(
    word: str, vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service(**QUICK)
    run_jobs(vma, service, [JOB, "job-2"])
    vma.faults.set("word", id=EXPORT, word=word)

    job = service.wait_for(JOB, state="failed", basis="observed")

    assert word in job["error"]
    assert service.job("job-2")["state"] == "replicating"


def test_one_id_that_hangs_while_others_answer_is_unanswered(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(**QUICK, PROBE_TIMEOUT="2")
    run_jobs(vma, service, [JOB, "job-2"])
    vma.faults.set("hang", id=EXPORT)

    asked_for_long(vma, service)

    assert service.job(JOB)["decision"]["rule"] == "unanswered"
    assert service.outcomes_of(JOB) == {"retry"}
    assert service.outcomes_of("job-2") == set()
    vma.faults.clear()
    service.wait_for(JOB, state="replicating", rule="still-running")
