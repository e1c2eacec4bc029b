"""VMAs of several kinds on virtual time, behind the real channel: how fast they are does not depend on the machine."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

from adapters.vma.channel import Channel, Limits
from adapters.vma.reply import Reply, failed
from domain.vma_status import Answer, VMAStatus
from tests.support.loop import SimulatedLoop

T = TypeVar("T")
TIMEOUT, CONCURRENCY, REST = 5.0, 64, 5.0


class ModelledVMA:
    """Answers after `latency` seconds, all requests in parallel or one after the other."""

    def __init__(self, latency: float, *, serial: bool = False, serial_health: bool = False) -> None:
        self.asked: list[str] = []
        self.health_checks = 0
        self.in_progress = 0
        self.most_in_progress = 0
        self.is_down = False
        self.hanging: set[str] = set()
        self.reply: Callable[[str], Reply] = running
        self._latency = latency
        self._is_serial = serial
        self._is_health_serial = serial_health
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()

    async def ask(self, _endpoint: str, asked_id: str) -> Reply:
        self.asked.append(asked_id)
        self.in_progress += 1
        self.most_in_progress = max(self.most_in_progress, self.in_progress)
        try:
            return await self._answer(asked_id, serial=self._is_serial)
        finally:
            self.in_progress -= 1

    async def ask_health(self) -> Reply:
        self.health_checks += 1
        return await self._answer("health", serial=self._is_health_serial)

    async def _answer(self, asked_id: str, *, serial: bool) -> Reply:
        if self.is_down:
            return Reply(failed(asked_id, 0.0, "connection refused"))
        if asked_id in self.hanging:
            await asyncio.Event().wait()
        # It continues if the request is cancelled, as servers do.
        work = asyncio.ensure_future(self._process(serial=serial))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        await asyncio.shield(work)
        return self.reply(asked_id)

    async def _process(self, *, serial: bool) -> None:
        if not serial:
            await asyncio.sleep(self._latency)
            return
        async with self._turn:
            await asyncio.sleep(self._latency)


def running(asked_id: str) -> Reply:
    """Return the reply that the job runs."""
    return Reply(Answer(asked_id=asked_id, status=VMAStatus.RUNNING, http_status=200))


def too_many(retry_after: float | None) -> Callable[[str], Reply]:
    """Return an HTTP 429 that asks for a pause."""
    return lambda asked_id: Reply(Answer(asked_id=asked_id, status=VMAStatus.UNANSWERED, http_status=429), retry_after)


def channel_to(vma: ModelledVMA) -> Channel:
    """Return a channel on the running loop's time."""
    limits = Limits(timeout=TIMEOUT, concurrency=CONCURRENCY, rest=REST)
    return Channel(asyncio.get_running_loop().time, limits, vma.ask, vma.ask_health)


async def ask_all(channel: Channel, count: int, first: int = 0) -> Counter[VMAStatus]:
    """Ask for many ids at once; return how often each status was the answer."""
    answers = await asyncio.gather(*(channel.ask("progress", str(n)) for n in range(first, first + count)))
    return Counter(answer.status for answer in answers)


def on_virtual_time(test: Callable[[], Awaitable[T]]) -> T:
    """Run a test on virtual time, and end the tasks that it leaves."""
    loop = SimulatedLoop()

    async def run() -> T:
        try:
            return await test()
        finally:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def now() -> float:
    """Return the virtual time, in seconds."""
    return asyncio.get_running_loop().time()


def stop_process_for(seconds: float) -> None:
    """Stop the process for this time, as SIGSTOP does: only the clock continues."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    loop._clock.now += seconds


def virtually(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test on virtual time."""

    @wraps(test)
    def run(**arguments: object) -> None:
        on_virtual_time(lambda: test(**arguments))

    return run
