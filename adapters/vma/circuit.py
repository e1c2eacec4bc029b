"""A circuit breaker per VMA: one that is down is found down once, not once per job.

closed ──a question fails, and the health check──▶ open
   ▲                                                │
   │                                    `rest` seconds are over
   │                                                ▼
   └──the trial request or its health check──── half-open ──both fail──▶ open
      is answered

It begins half-open: until the first question has been answered, nobody knows whether the VMA is there, and the
other questions wait for the outcome of the trial request. While it is open they are answered at once.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

import msgspec

from domain.vma_status import VMAStatus


class Refusal(msgspec.Struct, frozen=True):
    """Why a question is not put to the VMA now, and the status that answers it instead."""

    status: VMAStatus
    detail: str


class Leave(Enum):
    """How a question may be put."""

    ASK = auto()
    TRIAL = auto()


class Circuit:
    """The circuit breaker of one VMA. Times in seconds."""

    def __init__(self, monotonic: Callable[[], float], rest: float) -> None:
        """Begin half-open.

        Args:
            monotonic: the clock.
            rest: time after which an open circuit lets a trial request through.

        """
        self.heard = 0
        self.last_error: str | None = None
        self.opened_at: float | None = None
        self._monotonic = monotonic
        self._rest = rest
        self._closed = False
        self._failed_at = float("-inf")
        self._trial: asyncio.Future[Refusal | None] | None = None

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        if self._closed:
            return "closed"
        return "open" if self.opened_at is not None else "half-open"

    def refusal(self) -> Refusal | None:
        """Return why no question is put now; None if the VMA is not known to be down, or a trial request is due."""
        if self.opened_at is None:
            return None
        known_for = self._monotonic() - self._failed_at
        if known_for < self._rest:
            return Refusal(VMAStatus.UNREACHABLE, f"not asked again yet, the VMA is down: {self.last_error}")
        return None

    async def admit(self) -> Leave | Refusal:
        """Return how a question may be put now; wait for the outcome of a trial request if that has to tell.

        Whoever gets `Leave.TRIAL` must call `end_trial` at last.
        """
        while not self._closed:
            refusal = self.refusal()
            if refusal is None and self._trial is not None:
                refusal = await asyncio.shield(self._trial)
            elif refusal is None:
                self._trial = asyncio.get_running_loop().create_future()
                return Leave.TRIAL
            if refusal is not None:
                return refusal
        return Leave.ASK

    def alive(self) -> None:
        """Note a sign of life: the VMA's HTTP server has answered, whatever it said."""
        self.heard += 1
        self._closed = True
        self.opened_at = self.last_error = None
        self.end_trial()

    def open(self, error: str) -> Refusal:
        """Note that the VMA as a whole does not answer; return what answers the questions that wait."""
        self._closed = False
        self._failed_at = self._monotonic()
        self.opened_at = self._failed_at if self.opened_at is None else self.opened_at
        self.last_error = error
        refusal = Refusal(VMAStatus.UNREACHABLE, error)
        self.end_trial(refusal)
        return refusal

    def unknown(self, refusal: Refusal) -> None:
        """Note that the trial request could not be put: whether the VMA is there is not known any more."""
        self.opened_at, self.last_error = None, refusal.detail
        self.end_trial(refusal)

    def end_trial(self, refusal: Refusal | None = None) -> None:
        """End the trial request, if there is one; without a refusal the next question takes its place."""
        if self._trial is not None and not self._trial.done():
            self._trial.set_result(refusal)
        self._trial = None
