"""The way to one VMA: each question in its turn, and the judgement of those that are not answered.

A question that fails is `unreachable` only if the VMA as a whole gives no sign of life: no answer about any id since
it was put, and none to a health check either. Otherwise it is `unanswered`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from adapters.vma.circuit import Circuit, Leave, Refusal
from adapters.vma.health import HealthChecks
from adapters.vma.own_time import own_time_limit
from adapters.vma.pace import Pace
from adapters.vma.reply import Reply, failed
from adapters.vma.window import Turn
from domain.vma_status import Answer, VMAStatus

HEALTH_PATIENCE = 3.0
"""Time limits that the health check may take: a VMA that is slower than we ask is there all the same."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the questions to one VMA. Times in seconds.

    `timeout` is for one question, from when it is put; `most` are under way at once; after `rest` a VMA that is down
    is tried again.
    """

    timeout: float
    most: int
    rest: float


class Channel:
    """The way to one VMA."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        limits: Limits,
        ask: Callable[[str, str], Awaitable[Reply]],
        ask_health: Callable[[], Awaitable[Reply]],
    ) -> None:
        """Ask nothing yet; `ask` puts a question for an id to an endpoint, `ask_health` asks for the VMA's health."""
        self.circuit = Circuit(monotonic, limits.rest)
        self.pace = Pace(monotonic, limits.most, limits.timeout)
        self._monotonic = monotonic
        self._timeout = limits.timeout
        self._ask = ask
        self._health = HealthChecks(monotonic, HEALTH_PATIENCE * limits.timeout, ask_health, self._health_answered)

    async def ask(self, endpoint: str, asked_id: str) -> Answer:
        """Return the answer to one question, however long it waits for its turn."""
        while True:
            turn = self.circuit.refusal() or self.pace.refusal() or await self.pace.turn()
            if isinstance(turn, Refusal):
                return _refused(asked_id, turn)
            try:
                leave = await self.circuit.admit()
                if isinstance(leave, Refusal):
                    return _refused(asked_id, leave)
                if leave is Leave.TRIAL:
                    return await self._try(turn, endpoint, asked_id)
                # The VMA may have asked to be left alone while this question waited for a trial request.
                if not self.pace.left_alone_for:
                    return await self._put(turn, endpoint, asked_id)
            finally:
                self.pace.done(turn)

    async def _try(self, turn: Turn, endpoint: str, asked_id: str) -> Answer:
        """Make the trial request. Its own id may be one that hangs, so the VMA's health is asked beside it."""
        try:
            answer = await self._put(turn, endpoint, asked_id, is_trial=True)
            if answer.status is VMAStatus.NOT_ASKED and self.circuit.state != "closed":
                # All that wait share this outcome, instead of failing one after the other.
                refusal = Refusal(VMAStatus.NOT_ASKED, answer.detail or "")
                self.circuit.unknown(refusal)
                self.pace.flush(refusal)
            return answer
        finally:
            self.circuit.end_trial()

    async def _put(self, turn: Turn, endpoint: str, asked_id: str, *, is_trial: bool = False) -> Answer:
        heard = self.circuit.heard
        self.pace.put(turn)
        watch = _Watch(0.0 if is_trial else self.pace.patience, lambda: self._look_beside(turn, heard))
        try:
            reply = await self._reply(turn, endpoint, asked_id)
            if reply.is_sign_of_life:
                self.circuit.alive()
            elif reply.answer.status is VMAStatus.UNREACHABLE:
                verdict = await self._verdict(reply.answer.detail or "", turn, heard, is_trial=is_trial)
                return msgspec.structs.replace(reply.answer, status=verdict.status, detail=verdict.detail)
            return reply.answer
        finally:
            await watch.stop()

    async def _reply(self, turn: Turn, endpoint: str, asked_id: str) -> Reply:
        began = self._monotonic()
        try:
            async with own_time_limit(self._timeout):
                reply = await self._ask(endpoint, asked_id)
        except TimeoutError:
            self.pace.timed_out(turn)
            latency_ms = round((self._monotonic() - began) * 1000, 1)
            return Reply(failed(asked_id, latency_ms, f"no answer within {self._timeout:g} s"))
        if reply.is_too_many:
            self.pace.too_many(turn, reply.retry_after)
            return Reply(msgspec.structs.replace(reply.answer, detail=self.pace.left_alone_detail()))
        if reply.is_sign_of_life and reply.answer.status is not VMAStatus.NOT_ASKED:
            self.pace.answered(turn)
        return reply

    async def _verdict(self, error: str, turn: Turn, heard: int, *, is_trial: bool) -> Refusal:
        """Return the status and detail of a question that failed on its way."""
        unanswered = Refusal(VMAStatus.UNANSWERED, f"{error}, while the VMA answers others")
        if self.circuit.heard != heard:
            return unanswered
        if not is_trial and self.circuit.refusal() is not None:
            return Refusal(VMAStatus.UNREACHABLE, error)
        check = await self._health.check(turn.put_at)
        if self.circuit.heard != heard:
            return unanswered
        if check.not_asked is not None:
            return Refusal(VMAStatus.NOT_ASKED, f"{error}; the VMA's health was not asked: {check.not_asked}")
        refusal = self.circuit.open(error)
        self.pace.restart()
        self.pace.flush(refusal)
        return refusal

    async def _look_beside(self, turn: Turn, heard: int) -> None:
        """Find out whether the question hangs by itself: if so, its place in the window is free."""
        self.pace.free_overtaken()
        if self.circuit.heard == heard or not self.pace.is_slow:
            check = await self._health.check(turn.put_at)
            if check.alive and check.took < self._timeout / 4:
                self.pace.free_beside_health(turn)

    def _health_answered(self, reply: Reply) -> None:
        self.circuit.alive()
        if reply.is_too_many:
            self.pace.too_many(None, reply.retry_after)


class _Watch:
    """Something that is begun after a delay, unless it is stopped before."""

    def __init__(self, delay: float, begin: Callable[[], Awaitable[None]]) -> None:
        self._task: asyncio.Future[None] | None = None
        self._begin = begin
        self._timer = asyncio.get_running_loop().call_later(delay, self._start)

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._begin())

    async def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


def _refused(asked_id: str, refusal: Refusal) -> Answer:
    return Answer(asked_id=asked_id, status=refusal.status, detail=refusal.detail)
