"""A circuit breaker per VMA: one check finds that a VMA is down, not one check per job.

closed ──a request and the health check fail──▶ open
   ▲                                             │
   │                                  `rest` seconds are over
   │                                             ▼
   └──the trial request or its health ──── half-open ──both fail──▶ open
      check is answered

It begins half-open: until the first request is answered, the state of the VMA is not known, and the other requests wait
for the result of the trial request. While it is open, they are refused at once.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

import msgspec

from domain.vma_status import VMAStatus


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not sent to the VMA now, and the status that answers it instead."""

    status: VMAStatus
    detail: str


class Admission(Enum):
    """How a request may be sent."""

    NORMAL = auto()
    TRIAL = auto()


class Circuit:
    """The circuit breaker of one VMA. Times in seconds."""

    def __init__(self, monotonic: Callable[[], float], rest: float) -> None:
        """Begin half-open.

        Args:
            monotonic: the clock.
            rest: time after which an open circuit allows a trial request.

        """
        self.signs_of_life = 0
        self.last_error: str | None = None
        self.opened_at: float | None = None
        self._monotonic = monotonic
        self._rest = rest
        self._closed = False
        self._failed_at = float("-inf")
        self._trial: asyncio.Future[Refusal | None] | None = None

    @property
    def state(self) -> str:
        """Return `closed`, `open` or `half-open`."""
        if self._closed:
            return "closed"
        return "open" if self.opened_at is not None else "half-open"

    @property
    def is_reachable(self) -> bool:
        """Return whether the VMA is reachable, as far as is known.

        A VMA that was never asked is not known to be away. One that was is away until a request is answered, also
        while requests cannot be sent, and while it refuses every login.
        """
        return self.last_error is None

    def refusal(self) -> Refusal | None:
        """Return why no request is sent now; None if the VMA is not known to be down, or a trial request is due."""
        if self.opened_at is None or self._monotonic() - self._failed_at >= self._rest:
            return None
        return Refusal(VMAStatus.UNREACHABLE, f"not asked again yet, the VMA is down: {self.last_error}")

    async def admit(self) -> Admission | Refusal:
        """Return how a request may be sent now; wait for the result of a trial request that has been sent.

        After `Admission.TRIAL` the caller must call `end_trial`.
        """
        while not self._closed:
            refusal = self.refusal()
            if refusal is None and self._trial is not None:
                refusal = await asyncio.shield(self._trial)
            elif refusal is None:
                self._trial = asyncio.get_running_loop().create_future()
                return Admission.TRIAL
            if refusal is not None:
                return refusal
        return Admission.NORMAL

    def close(self, refused: str | None = None) -> None:
        """Record a sign of life: the VMA's HTTP server has answered, whatever the answer.

        Args:
            refused: why it did not accept the request, if it refused the login.

        """
        self.signs_of_life += 1
        self._closed = True
        self.opened_at, self.last_error = None, refused
        self.end_trial()

    def open(self, error: str) -> Refusal:
        """Record that the VMA as a whole does not answer; return the refusal of the requests that wait."""
        self._closed = False
        self._failed_at = self._monotonic()
        self.opened_at = self._failed_at if self.opened_at is None else self.opened_at
        self.last_error = error
        refusal = Refusal(VMAStatus.UNREACHABLE, error)
        self.end_trial(refusal)
        return refusal

    def half_open(self, refusal: Refusal) -> None:
        """Record that the trial request could not be sent: the state of the VMA is not known any more."""
        self.opened_at, self.last_error = None, refusal.detail
        self.end_trial(refusal)

    def not_sent(self, why: str | None) -> None:
        """Record why a request could not be sent to a VMA that was up: it may still be, so the circuit stays closed."""
        if self._closed:
            self.last_error = why

    def end_trial(self, refusal: Refusal | None = None) -> None:
        """End the trial request, if there is one; without a refusal the next request replaces it."""
        if self._trial is not None and not self._trial.done():
            self._trial.set_result(refusal)
        self._trial = None
