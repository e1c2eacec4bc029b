"""Health checks of one VMA, one at a time, shared by all requests that need one."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from adapters.vma.awake_time import AwakeTimeLimit
from adapters.vma.reply import Reply
from domain.vma_status import VMAStatus

MAX_DURATION = 1.5
"""In time limits of a check; a longer one shows that this process was suspended meanwhile."""

VALID_FOR = 0.25
"""For how long a check serves later requests too, in time limits of a check."""


class HealthCheck(msgspec.Struct, frozen=True):
    """The result of a health check. Times of the monotonic clock, in seconds.

    `not_asked` is why it could not be sent to the VMA; such a check tells nothing about the VMA.
    """

    began: float
    ended: float
    alive: bool
    not_asked: str | None = None

    @property
    def took(self) -> float:
        """Return the seconds until the answer."""
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
        """Pass each reply that is a sign of life to `answered`; `timeout` limits one check."""
        self._monotonic = monotonic
        self._timeout = timeout
        self._ask = ask
        self._answered = answered
        self._flight: _Flight | None = None
        self._last: HealthCheck | None = None

    async def check(self, since: float) -> HealthCheck:
        """Return whether the VMA's HTTP server answers, by a check that does not end before `since`.

        A check during which this process was suspended tells nothing: it is repeated.
        """
        check = self._last
        if check is None or check.began < since or self._monotonic() - check.ended > VALID_FOR * self._timeout:
            check = await self._join()
        if not check.alive and check.took > MAX_DURATION * self._timeout:
            check = await self._join()
        return check

    async def _join(self) -> HealthCheck:
        """Wait for the check in progress, or start one; it is cancelled with the last request that waits for it."""
        if self._flight is None or self._flight.task.done():
            self._flight = _Flight(asyncio.ensure_future(self._run()))
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

    async def _run(self) -> HealthCheck:
        began, alive, not_asked = self._monotonic(), False, None
        try:
            async with AwakeTimeLimit(self._timeout):
                reply = await self._ask()
        except TimeoutError:
            pass
        else:
            alive = reply.is_sign_of_life
            if alive:
                self._answered(reply)
            elif reply.answer.status is VMAStatus.NOT_ASKED:
                not_asked = reply.answer.detail
        self._last = HealthCheck(began, self._monotonic(), alive, not_asked)
        return self._last
