"""A circuit per VMA: one that is down is found down once, not once per job.

closed ──failures in a row──▶ open ──rest is over──▶ half-open ──the pilot is answered──▶ closed
                               ▲                        │
                               └────the pilot fails─────┘

It begins half-open: until the first question has been answered, nobody knows whether the VMA is there, and the
others wait for what the first pilot finds. Once it is known to be down, nobody waits for later pilots.
"""

import asyncio
from collections.abc import Callable

OPEN_AFTER = 5
"""Failures in a row, with no answer in between, that open the circuit."""


class Circuit:
    """The circuit of one VMA. Seconds."""

    def __init__(self, monotonic: Callable[[], float], rest: float) -> None:
        """After it has opened, one question in `rest` seconds is let through."""
        self.last_error: str | None = None
        self.opened_at: float | None = None
        self._monotonic = monotonic
        self._rest = rest
        self._closed = False
        self._failures = 0
        self._next_pilot = float("-inf")
        self._pilot: asyncio.Future[None] | None = None

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        if self._closed:
            return "closed"
        return "open" if self.opened_at is not None else "half-open"

    async def may_ask(self) -> bool:
        """Say whether to ask now; false means: it is down. Waits while the first pilot is under way."""
        while not self._closed:
            if self._pilot is not None:
                if self._is_down():
                    return False
                await asyncio.shield(self._pilot)
                if self._is_down():
                    return False
            elif self._monotonic() >= self._next_pilot:
                self._pilot = asyncio.get_running_loop().create_future()
                return True
            else:
                return False
        return True

    def answered(self) -> None:
        """The VMA's HTTP server answered something."""
        self._closed, self._failures = True, 0
        self.opened_at = self.last_error = None
        self._land()

    def failed(self, error: str) -> None:
        """The VMA could not be reached."""
        self.last_error = error
        self._failures += 1
        if self._pilot is not None or self._failures >= OPEN_AFTER:
            self._closed = False
            self.opened_at = self.opened_at or self._monotonic()
            self._next_pilot = self._monotonic() + self._rest
        self._land()

    def _is_down(self) -> bool:
        return self.opened_at is not None

    def not_asked(self) -> None:
        """The question did not leave this machine, which says nothing of the VMA."""
        self._land()

    def _land(self) -> None:
        if self._pilot is not None:
            if not self._pilot.done():
                self._pilot.set_result(None)
            self._pilot = None
