"""How many long answers are given at once: each holds memory and a connection, or takes much of the event loop."""

from collections import Counter
from collections.abc import AsyncIterator

from starlette.requests import Request

from api.http.guard import caller_of
from api.runtime.errors import TooManyRequests

RETRY_AFTER = 5.0
"""Seconds after which a caller should ask again."""


class Slots:
    """A dependency of a route, of whose answers so many are given at once, and so many to one caller."""

    def __init__(self, what: str, most: int, most_of_caller: int) -> None:
        """`what` names the answers in a refusal."""
        self._what = what
        self._most = most
        self._most_of_caller = most_of_caller
        self._taken: Counter[str] = Counter()

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Hold a slot until the whole answer is sent, or its client is gone.

        Raises:
            TooManyRequests: no slot is free.

        """
        caller = caller_of(request).name
        if self._taken[caller] >= self._most_of_caller or self._taken.total() >= self._most:
            bounds = f"a caller may have {self._most_of_caller} at once, and all together {self._most}"
            raise TooManyRequests(f"too many {self._what}: {bounds}. End one, or ask again later", RETRY_AFTER)
        self._taken[caller] += 1
        if "turn" in request.scope:
            # A long answer keeps no ordinary one waiting.
            request.scope["turn"].close()
        try:
            yield
        finally:
            self._taken[caller] -= 1


STREAMS = Slots("live streams", most=64, most_of_caller=16)
EXPORTS = Slots("exports and replays", most=4, most_of_caller=2)
