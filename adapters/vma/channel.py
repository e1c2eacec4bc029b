"""The requests to one VMA: each waits for its slot, and a failed one is classified.

A failed request is `unreachable` only if the VMA as a whole shows no sign of life: no answer about any id since it was
sent, and none to a health check. Otherwise it is `unanswered`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from adapters.vma.awake_time import AwakeTimeLimit
from adapters.vma.circuit import Admission, Circuit, Refusal
from adapters.vma.health import HealthChecks
from adapters.vma.reply import Reply, failed
from adapters.vma.request_queue import RequestQueue
from adapters.vma.window import Slot
from domain.vma_status import Answer, VMAStatus

HEALTH_TIMEOUTS = 3.0
"""The time limit of a health check, in time limits of a request: a VMA that is slow is not down."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the requests to one VMA. Times in seconds.

    `timeout` is for one request, from when it is sent. `concurrency` is how many may be in progress at once. `rest` is
    the time between two trial requests to a VMA that is down.
    """

    timeout: float
    concurrency: int
    rest: float


class Channel:
    """The requests to one VMA."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        limits: Limits,
        ask: Callable[[str, str], Awaitable[Reply]],
        ask_health: Callable[[], Awaitable[Reply]],
    ) -> None:
        """Send nothing yet; `ask` sends a request for an id to an endpoint, `ask_health` a health check."""
        self.circuit = Circuit(monotonic, limits.rest)
        self.queue = RequestQueue(monotonic, limits.concurrency, limits.timeout)
        self._monotonic = monotonic
        self._timeout = limits.timeout
        self._ask = ask
        self._health = HealthChecks(monotonic, HEALTH_TIMEOUTS * limits.timeout, ask_health, self._health_answered)

    async def ask(self, endpoint: str, asked_id: str) -> Answer:
        """Return the answer to one request, however long it waits for its slot."""
        while True:
            slot = self.circuit.refusal() or self.queue.refusal() or await self.queue.acquire()
            if isinstance(slot, Refusal):
                return _refused(asked_id, slot)
            try:
                admission = await self.circuit.admit()
                if isinstance(admission, Refusal):
                    return _refused(asked_id, admission)
                if admission is Admission.TRIAL:
                    return await self._send_trial(slot, endpoint, asked_id)
                # The VMA may have asked for a pause while this request waited for a trial request.
                if not self.queue.pause:
                    return await self._send(slot, endpoint, asked_id)
            finally:
                self.queue.release(slot)

    async def _send_trial(self, slot: Slot, endpoint: str, asked_id: str) -> Answer:
        """Send the trial request, and a health check beside it, because the VMA may hang on this id alone."""
        try:
            answer = await self._send(slot, endpoint, asked_id, is_trial=True)
            if answer.status is VMAStatus.NOT_ASKED and self.circuit.state != "closed":
                # All that wait share this result, instead of failing one after the other.
                refusal = Refusal(VMAStatus.NOT_ASKED, answer.detail or "")
                self.circuit.half_open(refusal)
                self.queue.flush(refusal)
            return answer
        finally:
            self.circuit.end_trial()

    async def _send(self, slot: Slot, endpoint: str, asked_id: str, *, is_trial: bool = False) -> Answer:
        seen = self.circuit.signs_of_life
        self.queue.sent(slot)
        check = _Delayed(0.0 if is_trial else self.queue.window.prompt_limit, lambda: self._free_if_hanging(slot, seen))
        try:
            reply = await self._reply(slot, endpoint, asked_id)
            if reply.is_sign_of_life:
                self.circuit.close(reply.refused)
            elif reply.answer.status is VMAStatus.UNREACHABLE:
                failure = await self._classify(reply.answer.detail or "", slot, seen, is_trial=is_trial)
                return msgspec.structs.replace(reply.answer, status=failure.status, detail=failure.detail)
            else:
                self.circuit.not_sent(reply.answer.detail)
            return reply.answer
        finally:
            await check.stop()

    async def _reply(self, slot: Slot, endpoint: str, asked_id: str) -> Reply:
        began = self._monotonic()
        try:
            async with AwakeTimeLimit(self._timeout):
                reply = await self._ask(endpoint, asked_id)
        except TimeoutError:
            self.queue.timed_out(slot)
            latency_ms = round((self._monotonic() - began) * 1000, 1)
            return Reply(failed(asked_id, latency_ms, f"no answer within {self._timeout:g} s"))
        if reply.is_too_many:
            self.queue.too_many(slot, reply.retry_after)
            return Reply(msgspec.structs.replace(reply.answer, detail=self.queue.pause_detail()))
        if reply.is_sign_of_life and reply.answer.status is not VMAStatus.NOT_ASKED:
            self.queue.answered(slot)
        return reply

    async def _classify(self, error: str, slot: Slot, seen: int, *, is_trial: bool) -> Refusal:
        """Return the status and detail of a failed request; `seen` are the signs of life before it was sent."""
        unanswered = Refusal(VMAStatus.UNANSWERED, f"{error}, while the VMA answers others")
        if self.circuit.signs_of_life != seen:
            return unanswered
        if not is_trial and self.circuit.refusal() is not None:
            return Refusal(VMAStatus.UNREACHABLE, error)
        check = await self._health.check(slot.sent_at)
        if self.circuit.signs_of_life != seen:
            return unanswered
        if check.not_asked is not None:
            return Refusal(VMAStatus.NOT_ASKED, f"{error}; the VMA's health was not asked: {check.not_asked}")
        refusal = self.circuit.open(error)
        self.queue.restart()
        self.queue.flush(refusal)
        return refusal

    async def _free_if_hanging(self, slot: Slot, seen: int) -> None:
        """Free the request's slot if the VMA answers promptly otherwise."""
        self.queue.free_overtaken()
        if self.circuit.signs_of_life == seen or not self.queue.is_slow:
            check = await self._health.check(slot.sent_at)
            if check.alive and check.took < self._timeout / 4:
                self.queue.free_beside_health(slot)

    def _health_answered(self, reply: Reply) -> None:
        # Whether the jobs need a login, and which one, is known by their own answers.
        self.circuit.close(self.circuit.last_error if self.circuit.state == "closed" else reply.refused)
        if reply.is_too_many:
            self.queue.too_many(None, reply.retry_after)


class _Delayed:
    """Work that starts after a delay, unless it is stopped before."""

    def __init__(self, delay: float, work: Callable[[], Awaitable[None]]) -> None:
        self._task: asyncio.Future[None] | None = None
        self._work = work
        self._timer = asyncio.get_running_loop().call_later(delay, self._start)

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._work())

    async def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


def _refused(asked_id: str, refusal: Refusal) -> Answer:
    return Answer(asked_id=asked_id, status=refusal.status, detail=refusal.detail)
