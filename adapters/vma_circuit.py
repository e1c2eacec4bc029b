"""A circuit per VMA: one that is down is found down once, not once per job.

closed ──failures in a row──▶ half-open ──the pilot fails──▶ open
   ▲                              │                           │
   └───the pilot is answered──────┴─────the rest is over──────┘

It begins half-open: until the first question has been answered, nobody knows whether the VMA is there, and the
others wait for what the first pilot finds. Once it is known to be down, nobody waits for later pilots.

The first failures do not open it: the ids that hang may be a few bad ones. Whoever is the pilot asks for the VMA
itself, too, and if that is there, the others are let through. Only where many ids in a row hang does it count for
nothing that the VMA itself answers.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

DOUBT_AFTER = 5
"""Failures in a row, with no answer in between, after which a pilot has to find out."""

HANGING_AFTER = 20
"""Failures in a row after which a VMA that is there, and answers for no id, counts as down."""


class Leave(StrEnum):
    """What may be done with a question."""

    ASK = "ask"
    PILOT = "pilot"
    NO = "no"


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

    async def may_ask(self) -> Leave:
        """Say whether to ask now; no means: it is down. Waits while the first pilot is under way.

        A pilot ends in `answered`, `failed` or `not_asked`.
        """
        while not self._closed:
            if self._pilot is not None:
                if self._is_down():
                    return Leave.NO
                await asyncio.shield(self._pilot)
                if self._is_down():
                    return Leave.NO
            elif self._monotonic() >= self._next_pilot:
                self._pilot = asyncio.get_running_loop().create_future()
                return Leave.PILOT
            else:
                return Leave.NO
        return Leave.ASK

    def answered(self) -> None:
        """The VMA's HTTP server answered for an id, whatever it said."""
        self._failures = 0
        self._close()

    def is_there(self) -> None:
        """The VMA's HTTP server answered, but not for an id."""
        if self._failures < HANGING_AFTER:
            self._close()

    def failed(self, leave: Leave, error: str) -> None:
        """A question found no answer."""
        self.last_error = error
        self._failures += 1
        if leave is Leave.PILOT and self._pilot is not None:
            self.opened_at = self.opened_at or self._monotonic()
            self._next_pilot = self._monotonic() + self._rest
            self._land()
        elif self._failures >= DOUBT_AFTER:
            self._closed = False

    def not_asked(self, leave: Leave) -> None:
        """The question did not leave this machine, which says nothing of the VMA."""
        if leave is Leave.PILOT:
            self._land()

    def _close(self) -> None:
        self._closed, self._next_pilot = True, float("-inf")
        self.opened_at = self.last_error = None
        self._land()

    def _is_down(self) -> bool:
        return self.opened_at is not None

    def _land(self) -> None:
        if self._pilot is not None:
            if not self._pilot.done():
                self._pilot.set_result(None)
            self._pilot = None
