"""An event's identity names it among those of all histories of a log."""

import pytest

from domain.events import EVENTS, Event, UnreadableEvent, is_named
from tests.support.builders import NOON, at
from tests.support.written import log_of

(EVENT,) = log_of(("job-1", 0.0))
(LATER,) = log_of(("job-1", 1.0))
"""The event that another history of the log has in its place."""

UNREADABLE = UnreadableEvent(
    originator_id="job-1",
    originator_version=1,
    recorded_at=NOON,
    correlation_id="",
    causation_id="",
    why="a later version wrote it",
)


def test_an_identity_has_the_reference_and_the_time() -> None:
    assert (EVENT.ref, EVENT.identity) == ("job-1#1", f"job-1#1 at {at(0.0).isoformat()}")
    assert UNREADABLE.identity == UNREADABLE.ref == "job-1#1"


@pytest.mark.parametrize("name", ["job-1#1", EVENT.identity])
def test_an_event_is_known_by_its_identity_and_by_its_reference(name: str) -> None:
    assert is_named(EVENT, name)


@pytest.mark.parametrize("name", [None, "", "job-1#10", "job-1#0", "job-1", "job-2#1", "a#1", LATER.identity])
def test_it_is_not_known_by_another_name(name: str | None) -> None:
    assert not is_named(EVENT, name)


@pytest.mark.parametrize("name", ["job-1#1", EVENT.identity, LATER.identity])
def test_one_that_cannot_be_read_is_known_by_its_reference_whatever_its_time_was(name: str) -> None:
    assert is_named(UNREADABLE, name)


@pytest.mark.parametrize("name", [None, "job-1#10", "job-1#0", "job-2#1 at noon", "a", "z"])
def test_one_that_cannot_be_read_is_not_known_by_another_reference(name: str | None) -> None:
    assert not is_named(UNREADABLE, name)


def test_every_event_is_stored_by_its_topic_but_the_one_that_stands_for_those_that_cannot_be_read() -> None:
    assert set(EVENTS.values()) == set(Event.__subclasses__()) - {UnreadableEvent}
    assert all(event.topic == topic for topic, event in EVENTS.items())
