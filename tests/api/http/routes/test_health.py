"""Readiness: whether jobs are watched, which a log that can be written does not tell."""

from pathlib import Path

from tests.support.clock import FakeClock
from tests.support.past import client_of, service_with


async def test_a_service_that_watches_no_job_is_not_ready_and_one_that_leaves_guesses_out_is_degraded(
    tmp_path: Path,
) -> None:
    async with service_with([], tmp_path, FakeClock()) as service, client_of(service) as api:

        async def readiness() -> tuple[int, list[str], list[str]]:
            answer = await api.get("http://localhost/readyz")
            return answer.status_code, answer.json()["why"], answer.json()["degraded"]

        assert await readiness() == (200, [], [])
        service.supervisor.unwatched_guesses = "no table"
        guesses = "jobs whose outcome was inferred are not watched: no table. It is tried again each second"
        assert await readiness() == (200, [], [guesses])
        service.supervisor.unwatched = "no right"
        jobs = "no job is watched, because the open jobs cannot be read: no right. It is tried again each second"
        assert await readiness() == (503, [jobs], [guesses])
