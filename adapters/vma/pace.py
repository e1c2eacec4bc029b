"""The pace of the questions to one VMA: each waits for its turn, first come, first served.

A question that hangs while later ones are answered promptly is no sign of trouble: its place goes to the next one.
After an HTTP 429 no question is put for as long as the VMA says.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from adapters.vma.circuit import Refusal
from adapters.vma.window import Turn, Window
from domain.vma_status import VMAStatus

FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
"""Seconds to leave a VMA alone that answers HTTP 429 without saying for how long; doubled each time."""


class Pace:
    """The queue before one VMA. Times in seconds."""

    def __init__(self, monotonic: Callable[[], float], most: int, timeout: float) -> None:
        """Let at most `most` questions be under way, each of which may take `timeout`."""
        self._monotonic = monotonic
        self._timeout = timeout
        self._window = Window(most, timeout)
        self._queue: deque[asyncio.Future[Turn | Refusal]] = deque()
        self._under_way: dict[int, Turn] = {}
        self._turns = 0
        self._last_prompt = float("-inf")
        self._health_tells = True
        self.is_slow = False
        self._resume_at = float("-inf")
        self._backoff = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def window(self) -> int:
        """Questions that may be under way at once."""
        return self._window.size

    @property
    def waiting(self) -> int:
        """Questions that wait for their turn."""
        return len(self._queue)

    @property
    def left_alone_for(self) -> float:
        """Time for which the VMA asked to be left alone, from now."""
        return max(0.0, self._resume_at - self._monotonic())

    @property
    def patience(self) -> float:
        """How long an answer may take that counts as prompt."""
        return self._window.patience

    def refusal(self) -> Refusal | None:
        """Return why a question is not worth waiting: the VMA wants to be left alone for longer than the time limit."""
        if self.left_alone_for <= self._timeout:
            return None
        return Refusal(VMAStatus.UNANSWERED, self.left_alone_detail())

    def left_alone_detail(self) -> str:
        """Say for how long the VMA asked to be left alone."""
        return f"the VMA asked to be left alone for {self.left_alone_for:.0f} s (HTTP 429)"

    async def turn(self) -> Turn | Refusal:
        """Wait for a turn; whoever gets one must call `done` at last."""
        place: asyncio.Future[Turn | Refusal] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._go_on()
        try:
            return await place
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._queue.remove(place)
            if not place.cancelled() and isinstance(got := place.result(), Turn):
                self.done(got)
            raise

    def flush(self, refusal: Refusal) -> None:
        """Answer all questions that wait."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(refusal)

    def restart(self) -> None:
        """Begin anew with one question at a time: nothing is known of the VMA any more."""
        self._window.restart()
        self._health_tells = True

    def put(self, turn: Turn) -> None:
        """Note that a question goes out now."""
        turn.put_at, turn.epoch = self._monotonic(), self._window.epoch

    def answered(self, turn: Turn) -> None:
        """Note an answer."""
        latency = self._monotonic() - turn.put_at
        if turn.epoch == self._window.epoch:
            self._backoff = 0.0
        if turn.freed_by_health and latency > self._timeout / 4:
            self._health_tells = False
        self.is_slow = latency > self._timeout / 8
        if self._window.answered(turn, latency):
            self._last_prompt = max(self._last_prompt, turn.put_at)
            self.free_overtaken()

    def timed_out(self, turn: Turn) -> None:
        """Note that there was no answer within the time limit."""
        self.free_overtaken()
        if turn.number in self._under_way:
            self._window.timed_out(turn)

    def too_many(self, turn: Turn | None, retry_after: float | None) -> None:
        """Leave the VMA alone after an HTTP 429: for as long as it says, or else longer each time."""
        is_new = self._window.halve(turn) if turn is not None else not self.left_alone_for
        if retry_after is None and is_new:
            self._backoff = min(LONGEST_BACKOFF, 2 * self._backoff or FIRST_BACKOFF)
        pause = self._backoff if retry_after is None else retry_after
        self._resume_at = max(self._resume_at, self._monotonic() + pause)
        if (refusal := self.refusal()) is not None:
            self.flush(refusal)

    def free_overtaken(self) -> None:
        """Free the places of the questions that hang while later ones were answered promptly."""
        put_before = min(self._last_prompt, self._monotonic() - self.patience)
        for turn in list(self._under_way.values()):
            if turn.put_at >= put_before:
                break
            self._free(turn)

    def free_beside_health(self, turn: Turn) -> None:
        """Free the place of a question that hangs while a health check is answered promptly.

        That holds until such a question is answered late: then this VMA is slower with its ids than with its health.
        """
        if self._health_tells:
            turn.freed_by_health = True
            self._free(turn)

    def done(self, turn: Turn) -> None:
        """Give the place to the next question. Safe to repeat."""
        self._under_way.pop(turn.number, None)
        self._go_on()

    def _free(self, turn: Turn) -> None:
        if self._under_way.pop(turn.number, None) is not None:
            self._window.grow(turn)
            self._go_on()

    def _is_free(self) -> bool:
        return len(self._under_way) < self.window and not self.left_alone_for

    def _take(self) -> Turn:
        self._turns += 1
        others = len(self._under_way)
        for other in self._under_way.values() if others == 1 else ():
            other.alone = False
        turn = Turn(self._turns, alone=not others, fills_window=others + 1 >= self.window)
        self._under_way[turn.number] = turn
        return turn

    def _go_on(self) -> None:
        while self._queue and self._is_free():
            place = self._queue.popleft()
            if not place.done():
                place.set_result(self._take())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue and (pause := self.left_alone_for):
            self._timer = asyncio.get_running_loop().call_later(pause, self._go_on)
