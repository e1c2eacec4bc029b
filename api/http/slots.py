"""Limits on concurrent long responses, which need much memory, a connection, or much of the event loop."""

from collections import Counter
from collections.abc import AsyncIterator

from starlette.requests import Request

from api.http.guard import caller_of
from api.runtime.errors import TooManyRequests

RETRY_AFTER = 5.0
"""Seconds after which a caller should repeat a refused request."""


class Slots:
    """A route's dependency that limits its concurrent responses, in total and per caller."""

    def __init__(self, what: str, limit: int, per_caller: int) -> None:
        """`what` names the responses in a refusal."""
        self._what = what
        self._limit = limit
        self._per_caller = per_caller
        self._taken: Counter[str] = Counter()

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Occupy a slot until the response is complete or its client has disconnected.

        Raises:
            TooManyRequests: no slot is free.

        """
        caller = caller_of(request).name
        if self._taken[caller] >= self._per_caller or self._taken.total() >= self._limit:
            limits = f"the limit is {self._per_caller} per caller and {self._limit} in total"
            raise TooManyRequests(f"too many {self._what}: {limits}. End one, or retry later", RETRY_AFTER)
        self._taken[caller] += 1
        if "turn" in request.scope:
            # A long response must not delay the others.
            request.scope["turn"].close()
        try:
            yield
        finally:
            self._taken[caller] -= 1


STREAMS = Slots("live streams", limit=64, per_caller=16)
EXPORTS = Slots("exports and replays", limit=4, per_caller=2)
