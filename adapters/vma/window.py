"""How many questions to a VMA may be under way at once.

The window is found as TCP finds its congestion window. It begins with one, doubles per round trip until the first
sign of trouble, then grows by one per round trip while answers are prompt. HTTP 429 halves it. After a time-out it
begins with one again, because the VMA may still work on what timed out, and doubles up to half of what it was.

Answers are prompt if they take less than a quarter of the time limit longer than a question that is alone with the
VMA. Beyond that they queue there, and the window does not grow; beyond half of the time limit it shrinks by one per
round trip.
"""


class Turn:
    """One question's place in the window. Times in seconds."""

    def __init__(self, number: int, *, alone: bool, fills_window: bool) -> None:
        """Take a place; the question is put later. `alone` is whether the VMA has no other question of ours."""
        self.number = number
        self.alone = alone
        self.fills_window = fills_window
        self.freed_by_health = False
        self.put_at = float("inf")
        self.epoch = -1


class Window:
    """The window of one VMA. Times in seconds."""

    def __init__(self, most: int, timeout: float) -> None:
        """Let at most `most` questions be under way, each of which may take `timeout`."""
        self._most = most
        self._timeout = timeout
        # Answers to questions of an earlier epoch tell what was so before the window was cut.
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        """Begin anew with one question at a time: nothing is known of the VMA any more."""
        self._window = 1.0
        self._doubles_up_to = float(self._most)
        self._unloaded: float | None = None

    @property
    def size(self) -> int:
        """Questions that may be under way at once."""
        return int(self._window)

    @property
    def patience(self) -> float:
        """How long an answer may take that counts as prompt."""
        return (self._unloaded or 0.0) + self._timeout / 4

    def grow(self, turn: Turn) -> None:
        """Widen the window, if it was what held the questions back."""
        if turn.fills_window and turn.epoch == self.epoch:
            step = 1.0 if self._window < self._doubles_up_to else 1.0 / self._window
            self._window = min(float(self._most), self._window + step)

    def halve(self, turn: Turn) -> bool:
        """Halve the window once per round trip; return whether this was the first time in its round trip."""
        if turn.epoch != self.epoch:
            return False
        self.epoch += 1
        self._window = self._doubles_up_to = max(1.0, self._window / 2)
        return True

    def timed_out(self, turn: Turn) -> None:
        """Begin with one question again, once per round trip."""
        if self.halve(turn):
            self._window = 1.0

    def answered(self, turn: Turn, latency: float) -> bool:
        """Learn from an answer; return whether it was prompt."""
        self._learn_unloaded(latency, alone=turn.alone)
        if latency < self.patience:
            self.grow(turn)
            return True
        if self._unloaded is not None:
            self._doubles_up_to = min(self._doubles_up_to, self._window)
        if latency > self._timeout / 2 or self._unloaded is None:
            self._window = max(1.0, self._window - 1.0 / self._window)
        return False

    def _learn_unloaded(self, latency: float, *, alone: bool) -> None:
        """Learn how long the VMA takes for a question while it has no other of ours."""
        if alone:
            self._unloaded = latency
            # If it answers one at a time, so many have an answer within half the time limit.
            self._window = max(1.0, min(self._window, self._timeout / 2 / max(latency, 1e-3)))
        elif self._unloaded is not None:
            self._unloaded = min(self._unloaded, latency)
