"""Reads events from a log by their positions."""

from collections.abc import Iterator, Sequence
from typing import cast

from eventsourcing.persistence import Mapper, Notification

from adapters.event_log.mapper import unreadable
from adapters.event_log.storage import Recorder
from domain.errors import StorageUnavailable
from domain.events import Event

RANGE = 100_000
"""Positions that one query looks through. A database limits how long it may take."""


class EventReader:
    """Reads events, in the calling thread."""

    def __init__(self, recorder: Recorder, mapper: Mapper[str]) -> None:
        """Read from `recorder`."""
        self._recorder = recorder
        self._mapper = mapper

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""
        return self._recorder.max_notification_id() or 0

    def after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        """Return events after a position, each with its own."""
        return list(map(self._entry, self._recorder.select_notifications(position, limit, inclusive_of_start=False)))

    def of(self, topics: Sequence[str]) -> Iterator[Event]:
        """Return all events with these topics, one range of positions after the other."""
        for last in range(0, self.head(), RANGE):
            found = self._recorder.select_notifications(
                last, RANGE, last + RANGE, topics=topics, inclusive_of_start=False
            )
            yield from (self._entry(notification)[1] for notification in found)

    def _entry(self, notification: Notification) -> tuple[int, Event]:
        """Return an event with its position; one that cannot be decoded as `UnreadableEvent`."""
        try:
            return notification.id, cast("Event", self._mapper.to_domain_event(notification))
        except StorageUnavailable as error:
            return notification.id, unreadable(notification, str(error))
