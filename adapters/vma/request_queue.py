"""The queue of requests to one VMA, first come, first served.

A request that hangs while later ones are answered promptly is no sign of congestion: its slot is given to the next one.
After an HTTP 429 no request is sent for as long as the VMA asks.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from adapters.vma.circuit import Refusal
from adapters.vma.window import Slot, Window
from domain.vma_status import VMAStatus

MIN_PAUSE, MAX_PAUSE = 1.0, 60.0
"""Seconds without requests after an HTTP 429 without `Retry-After`; doubled each time."""


class RequestQueue:
    """The requests that wait for one VMA. Times in seconds."""

    def __init__(self, monotonic: Callable[[], float], limit: int, timeout: float) -> None:
        """Allow at most `limit` requests in progress, with `timeout` for each."""
        self._monotonic = monotonic
        self._timeout = timeout
        self.window = Window(limit, timeout)
        self._waiting: deque[asyncio.Future[Slot | Refusal]] = deque()
        self._in_progress: dict[int, Slot] = {}
        self._slots = 0
        self._last_prompt = float("-inf")
        self._health_is_representative = True
        self.is_slow = False
        self._resume_at = float("-inf")
        self._backoff = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a slot."""
        return len(self._waiting)

    @property
    def pause(self) -> float:
        """Return the rest of the time for which the VMA asked for no requests."""
        return max(0.0, self._resume_at - self._monotonic())

    def refusal(self) -> Refusal | None:
        """Return why a request must not wait: the pause that the VMA asked for is longer than the time limit."""
        return Refusal(VMAStatus.UNANSWERED, self.pause_detail()) if self.pause > self._timeout else None

    def pause_detail(self) -> str:
        """Describe the pause that the VMA asked for."""
        return f"the VMA asked to be left alone for {self.pause:.0f} s (HTTP 429)"

    async def acquire(self) -> Slot | Refusal:
        """Wait for a slot, which the caller must release."""
        place: asyncio.Future[Slot | Refusal] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._assign_slots()
        try:
            return await place
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._waiting.remove(place)
            if not place.cancelled() and isinstance(slot := place.result(), Slot):
                self.release(slot)
            raise

    def release(self, slot: Slot) -> None:
        """Give the slot to the next request. Safe to repeat."""
        self._in_progress.pop(slot.number, None)
        self._assign_slots()

    def flush(self, refusal: Refusal) -> None:
        """Refuse all requests that wait."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(refusal)

    def restart(self) -> None:
        """Begin again with one request at a time: nothing is known about the VMA."""
        self.window.restart()
        self._health_is_representative = True

    def sent(self, slot: Slot) -> None:
        """Record that a request is sent now."""
        slot.sent_at, slot.epoch = self._monotonic(), self.window.epoch

    def answered(self, slot: Slot) -> None:
        """Record an answer."""
        latency = self._monotonic() - slot.sent_at
        if slot.epoch == self.window.epoch:
            self._backoff = 0.0
        if slot.freed_by_health and latency > self._timeout / 4:
            self._health_is_representative = False
        self.is_slow = latency > self._timeout / 8
        if self.window.answered(slot, latency):
            self._last_prompt = max(self._last_prompt, slot.sent_at)
            self.free_overtaken()

    def timed_out(self, slot: Slot) -> None:
        """Record that there was no answer within the time limit."""
        self.free_overtaken()
        if slot.number in self._in_progress:
            self.window.timed_out(slot)

    def too_many(self, slot: Slot | None, retry_after: float | None) -> None:
        """Pause after an HTTP 429, for as long as the VMA asks, or else longer each time."""
        is_new = self.window.halve(slot) if slot is not None else not self.pause
        if retry_after is None and is_new:
            self._backoff = min(MAX_PAUSE, 2 * self._backoff or MIN_PAUSE)
        pause = self._backoff if retry_after is None else retry_after
        self._resume_at = max(self._resume_at, self._monotonic() + pause)
        if (refusal := self.refusal()) is not None:
            self.flush(refusal)

    def free_overtaken(self) -> None:
        """Free the slots of requests that hang while later ones were answered promptly."""
        sent_before = min(self._last_prompt, self._monotonic() - self.window.prompt_limit)
        for slot in list(self._in_progress.values()):
            if slot.sent_at >= sent_before:
                break
            self._free(slot)

    def free_beside_health(self, slot: Slot) -> None:
        """Free the slot of a request that hangs while a health check is answered promptly.

        This ends when such a request is answered late: the VMA answers health checks faster than requests.
        """
        if self._health_is_representative:
            slot.freed_by_health = True
            self._free(slot)

    def _free(self, slot: Slot) -> None:
        if self._in_progress.pop(slot.number, None) is not None:
            self.window.grow(slot)
            self._assign_slots()

    def _new_slot(self) -> Slot:
        self._slots += 1
        others = len(self._in_progress)
        for other in self._in_progress.values():
            other.alone = False
        slot = Slot(self._slots, alone=not others, fills_window=others + 1 >= self.window.size)
        self._in_progress[slot.number] = slot
        return slot

    def _assign_slots(self) -> None:
        while self._waiting and len(self._in_progress) < self.window.size and not self.pause:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(self._new_slot())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and (pause := self.pause):
            self._timer = asyncio.get_running_loop().call_later(pause, self._assign_slots)
