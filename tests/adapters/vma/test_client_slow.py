"""A VMA that is slow or asks for a pause gets fewer requests, without effect on another VMA."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest
from aiohttp import web

from adapters.simulated_vma import SimulatedVMA
from adapters.vma.client import HttpVMA
from domain.ports import ProbeTarget
from domain.vma_status import Observation, VMAStatus
from tests.support.probing import JOB, answering, asking, last_status, probe

LATENCY = 0.1


class SerialVMA:
    """Answers one request at a time, each in 100 ms, also when the client has gone."""

    def __init__(self) -> None:
        self.asked = 0
        self._turn = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.shield(asyncio.ensure_future(self._work()))
        return running(request)

    async def _work(self) -> None:
        async with self._turn:
            await asyncio.sleep(LATENCY)


def running(request: web.Request) -> web.Response:
    """Return a document of a running job."""
    asked_id = request.path.rpartition("/")[2]
    return web.json_response({"job_id": asked_id, "status": "in_progress", "percentage": 41.0})


@asynccontextmanager
async def beside_a_fast_one(
    answer: Callable[[web.Request], Awaitable[web.Response]], fast: SimulatedVMA
) -> AsyncIterator[HttpVMA]:
    """Ask a VMA named slow, with the time limit and concurrency of production, beside a fast one."""
    async with (
        answering(answer) as slow,
        asking({"slow": slow, "default": fast.url}, probe_timeout=5.0, probe_concurrency=64) as client,
    ):
        yield client


def statuses(found: list[Observation]) -> set[VMAStatus]:
    """Return the statuses of all answers of some probes."""
    return {answer.status for seen in found for answer in seen.answers}


async def test_80_jobs_on_a_vma_that_answers_one_request_at_a_time_are_all_read(vma: SimulatedVMA) -> None:
    serial = SerialVMA()
    targets = [ProbeTarget(f"job-{n}", "slow", (f"disk-{n}",)) for n in range(80)]

    async with beside_a_fast_one(serial.answer, vma) as client:
        probes = [asyncio.ensure_future(probe(client, target)) for target in targets]
        fast = await probe_while(client, probes)
        found = await asyncio.gather(*probes)

    assert statuses(found) == {VMAStatus.RUNNING}
    assert statuses(fast) == {VMAStatus.RUNNING}
    # The slow one takes more than eight seconds.
    assert max(seen.took_ms for seen in fast) < 4000


async def test_a_job_of_64_disks_on_a_vma_that_answers_one_request_at_a_time_is_read_completely(
    vma: SimulatedVMA,
) -> None:
    serial = SerialVMA()
    job = ProbeTarget("job-1", "slow", tuple(f"disk-{n}" for n in range(64)))

    async with beside_a_fast_one(serial.answer, vma) as client:
        found = [await probe(client, job), await probe(client, job)]

    assert statuses(found) == {VMAStatus.RUNNING}
    assert [len(seen.disks) for seen in found] == [64, 64]


async def probe_while(client: HttpVMA, others: Sequence[asyncio.Future[Observation]]) -> list[Observation]:
    """Probe the fast VMA's job until the others have ended."""
    seen = []
    while not all(other.done() for other in others):
        seen.append(await probe(client))
        await asyncio.sleep(0.05)
    return seen


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_429_is_obeyed_by_all_jobs_of_the_vma_and_by_no_other(vma: SimulatedVMA, form: str) -> None:
    asked: list[str] = []
    refused_at: list[float] = []
    asked_again_at: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if not refused_at and "/progress/" in request.path:
            refused_at.append(monotonic())
            # A date has whole seconds, and is relative to the reply's own date.
            date = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
            return web.Response(status=429, headers={"Retry-After": "8" if form == "seconds" else date})
        asked_again_at.append(monotonic())
        return running(request)

    targets = [ProbeTarget(f"job-{n}", "slow", (f"disk-{n}",)) for n in range(20)]
    async with beside_a_fast_one(answer, vma) as client:
        await probe(client)
        found = await asyncio.gather(*(probe(client, target) for target in targets))
        at_once = len([path for path in asked if "/progress/" in path])
        fast = await probe(client)
        later = await until_read(client, targets[0])

    assert statuses(found) == {VMAStatus.UNANSWERED}
    assert all("the VMA asked to be left alone for" in seen.summary() for seen in found)
    assert at_once == 1
    assert fast.status is VMAStatus.RUNNING
    assert last_status(later) is VMAStatus.RUNNING
    assert asked_again_at[-1] - refused_at[0] >= (8 if form == "seconds" else 6.9)


async def until_read(client: HttpVMA, target: ProbeTarget) -> Observation:
    """Probe every half second until the VMA answers, for at most a minute."""
    for _ in range(120):
        seen = await probe(client, target)
        if last_status(seen) is VMAStatus.RUNNING:
            return seen
        await asyncio.sleep(0.5)
    raise AssertionError("it was not answered")


async def test_that_a_vma_is_down_or_up_again_is_found_by_one_request_each(vma: SimulatedVMA) -> None:
    targets = [ProbeTarget(f"job-{n}", "default", ("disk-1",)) for n in range(50)]
    vma.faults.set("refuse")

    async with asking(vma.url, circuit_rest=1.0) as client:
        down = await asyncio.gather(*(probe(client, target) for target in targets))
        assert (client.circuits["default"].state, statuses(down)) == ("open", {VMAStatus.UNREACHABLE})
        vma.faults.clear()
        await until_read(client, JOB)
        back = await asyncio.gather(*(probe(client, target) for target in targets))

    assert statuses(back) == {VMAStatus.RUNNING}
    assert vma.requests.total <= 2 + len(targets)


async def test_a_cancelled_probe_leaves_no_request_in_progress(vma: SimulatedVMA) -> None:
    vma.faults.set("hang")
    job = ProbeTarget("job-1", "default", tuple(f"disk-{n}" for n in range(20)))
    async with asking(vma.url) as client:
        before = asyncio.all_tasks()
        in_progress = asyncio.ensure_future(probe(client, job))
        await asyncio.sleep(0.2)

        in_progress.cancel()
        with pytest.raises(asyncio.CancelledError):
            await in_progress

        assert asyncio.all_tasks() == before
        assert client._channels["default"].queue.waiting == 0
        vma.faults.clear()
        assert (await probe(client)).status is VMAStatus.RUNNING
