"""How many requests to a VMA may be in progress at once.

The window is found as TCP finds its congestion window. It begins with one, doubles per round trip until the first
sign of congestion, then grows by one per round trip while answers are prompt. HTTP 429 halves it. After a time-out it
begins with one again, because the VMA may still process the request, and doubles up to half of what it was.

An answer is prompt if it takes less than a quarter of the time limit longer than the answer to a request that is alone
at the VMA. Slower answers mean that requests queue there: the window does not grow, and beyond half of the time limit
it shrinks by one per round trip.
"""


class Slot:
    """One request's place in the window. Times in seconds."""

    def __init__(self, number: int, *, alone: bool, fills_window: bool) -> None:
        """Reserve a place; the request is sent later. `alone`: no other of our requests is at the VMA."""
        self.number = number
        self.alone = alone
        self.fills_window = fills_window
        self.freed_by_health = False
        self.sent_at = float("inf")
        self.epoch = -1


class Window:
    """The window of one VMA. Times in seconds."""

    def __init__(self, limit: int, timeout: float) -> None:
        """Allow at most `limit` requests in progress, with `timeout` for each."""
        self._limit = limit
        self._timeout = timeout
        # Answers to requests of an earlier epoch describe the VMA before the window was cut.
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        """Begin again with one request at a time: nothing is known about the VMA."""
        self._window = 1.0
        self._doubles_up_to = float(self._limit)
        self._unloaded: float | None = None

    @property
    def size(self) -> int:
        """Return how many requests may be in progress at once."""
        return int(self._window)

    @property
    def prompt_limit(self) -> float:
        """Return the latency below which an answer is prompt."""
        return (self._unloaded or 0.0) + self._timeout / 4

    def grow(self, slot: Slot) -> None:
        """Widen the window, if its size was what delayed requests."""
        if slot.fills_window and slot.epoch == self.epoch:
            step = 1.0 if self._window < self._doubles_up_to else 1.0 / self._window
            self._window = min(float(self._limit), self._window + step)

    def halve(self, slot: Slot) -> bool:
        """Halve the window once per round trip; return whether this was the first time in its round trip."""
        if slot.epoch != self.epoch:
            return False
        self.epoch += 1
        self._window = self._doubles_up_to = max(1.0, self._window / 2)
        return True

    def timed_out(self, slot: Slot) -> None:
        """Begin with one request again, once per round trip."""
        if self.halve(slot):
            self._window = 1.0

    def answered(self, slot: Slot, latency: float) -> bool:
        """Adapt to an answer; return whether it was prompt."""
        self._measure_unloaded(latency, alone=slot.alone)
        if latency < self.prompt_limit:
            self.grow(slot)
            return True
        if self._unloaded is not None:
            self._doubles_up_to = min(self._doubles_up_to, self._window)
        if latency > self._timeout / 2 or self._unloaded is None:
            self._window = max(1.0, self._window - 1.0 / self._window)
        return False

    def _measure_unloaded(self, latency: float, *, alone: bool) -> None:
        """Update the latency of a request that is alone at the VMA."""
        if alone:
            self._unloaded = latency
            # A VMA that answers one request at a time answers this many within half the time limit.
            self._window = max(1.0, min(self._window, self._timeout / 2 / max(latency, 1e-3)))
        elif self._unloaded is not None:
            self._unloaded = min(self._unloaded, latency)
