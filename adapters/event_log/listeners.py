"""Those who are told what the event log has stored, in the event loop."""

from collections.abc import Callable, Sequence
from functools import partial

from domain.events import Event
from domain.ports import Log


class Listeners:
    """Calls listeners. The error of one fails no command and no other listener: the events are stored."""

    def __init__(self, logger: Log) -> None:
        """`logger` gets the errors."""
        self.of_commits: list[Callable[[int], None]] = []
        self.of_appends: list[Callable[[float], None]] = []
        self.of_late_commits: list[Callable[[Sequence[Event]], None]] = []
        self.of_others: list[Callable[[Sequence[Event]], None]] = []
        self._logger = logger

    def appended(self, seconds: float) -> None:
        """Tell how long an append took."""
        for listener in self.of_appends:
            self._call(partial(listener, seconds))

    def committed(self, position: int) -> None:
        """Tell the position of a commit."""
        for listener in self.of_commits:
            self._call(partial(listener, position))

    def stored_late(self, events: Sequence[Event]) -> None:
        """Tell the events of a commit that its caller was told to have failed."""
        for listener in self.of_late_commits:
            self._call(partial(listener, events))

    def stored_by_others(self, events: Sequence[Event]) -> None:
        """Tell events that other instances have stored."""
        for listener in self.of_others:
            self._call(partial(listener, events))

    def _call(self, listener: Callable[[], None]) -> None:
        try:
            listener()
        except Exception as error:
            self._logger.error("event_log_listener_failed", exc_info=error)
