"""How far a process has followed its log, which other instances write to as well."""

from collections import deque


class Followed:
    """The position up to which this process knows all events: its own, and those of others that it has taken in."""

    def __init__(self, position: int) -> None:
        """Begin at the end of a log from which nothing was read yet."""
        self.position = position
        self._own: deque[tuple[int, int]] = deque()
        """First and last positions of this process's own commits after those of others that it does not know yet."""

    def wrote(self, first: int, last: int) -> None:
        """Record that these positions are this process's own."""
        self._own.append((first, last))
        self.reach(self.position)

    def is_own(self, position: int) -> bool:
        """Return whether an event after the present position is this process's own."""
        return any(first <= position <= last for first, last in self._own)

    def reach(self, position: int) -> None:
        """Move on to a position, and over what this process wrote after it."""
        self.position = max(self.position, position)
        while self._own and self._own[0][0] <= self.position + 1:
            self.position = max(self.position, self._own.popleft()[1])
