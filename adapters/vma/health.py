"""Health checks of one VMA, one at a time however many questions want to know."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from adapters.vma.own_time import own_time_limit
from adapters.vma.reply import Reply
from domain.vma_status import VMAStatus

LONGEST_CHECK = 1.5
"""Time limits that a check may take; one that took longer shows that this process was suspended meanwhile."""

VALID_FOR = 0.25
"""Time limits for which a check answers later questions, too."""


class HealthCheck(msgspec.Struct, frozen=True):
    """The outcome of a health check. Times of the monotonic clock, in seconds."""

    began: float
    ended: float
    alive: bool
    not_asked: str | None = None
    """Why it could not be put to the VMA, in which case it says nothing of it."""

    @property
    def took(self) -> float:
        """Seconds until the answer."""
        return self.ended - self.began


class _Flight(msgspec.Struct):
    task: asyncio.Task[HealthCheck]
    waiting: int = 0


class HealthChecks:
    """The health checks of one VMA. Times in seconds."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        timeout: float,
        ask: Callable[[], Awaitable[Reply]],
        answered: Callable[[Reply], None],
    ) -> None:
        """Have `answered` told each reply that is a sign of life; `timeout` limits one check."""
        self._monotonic = monotonic
        self._timeout = timeout
        self._ask = ask
        self._answered = answered
        self._flight: _Flight | None = None
        self._last: HealthCheck | None = None

    async def check(self, since: float) -> HealthCheck:
        """Return whether the VMA's HTTP server answers, by a check that does not end before `since`.

        A check during which this process was suspended says nothing: it is made afresh.
        """
        check = self._last
        if check is None or check.began < since or self._monotonic() - check.ended > VALID_FOR * self._timeout:
            check = await self._join()
        if not check.alive and check.took > LONGEST_CHECK * self._timeout:
            check = await self._join()
        return check

    async def _join(self) -> HealthCheck:
        """Wait for the check under way, or begin one; it is cancelled with the last question that waits for it."""
        if self._flight is None or self._flight.task.done():
            self._flight = _Flight(asyncio.ensure_future(self._make()))
        flight = self._flight
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._flight = None
                flight.task.cancel()
                await asyncio.wait({flight.task})

    async def _make(self) -> HealthCheck:
        began = self._monotonic()
        reply = None
        try:
            async with own_time_limit(self._timeout):
                reply = await self._ask()
        except TimeoutError:
            pass
        alive = reply is not None and reply.is_sign_of_life
        if reply is not None and alive:
            self._answered(reply)
        could_not = reply is not None and not alive and reply.answer.status is VMAStatus.NOT_ASKED
        self._last = HealthCheck(
            began=began,
            ended=self._monotonic(),
            alive=alive,
            not_asked=reply.answer.detail if reply is not None and could_not else None,
        )
        return self._last
