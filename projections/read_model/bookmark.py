"""Where the read model is in the log: a position, and which event is there, so that another log is recognised."""

import msgspec
from sqlalchemy import Connection, insert, null, select, update

from projections.read_model import schema
from projections.read_model.audit_rows import Entry

NAME = "read-model"


class Bookmark(msgspec.Struct, frozen=True):
    """How far which log has been folded in, by which version; `event` is None at the start of the log."""

    position: int
    event: str | None
    version: int

    def is_in(self, entries: list[Entry]) -> bool:
        """Whether what the log has at this position is the event that was folded in."""
        return [mark_of(entry) for entry in entries] == [(self.position, self.event)]


START = Bookmark(0, None, schema.VERSION)


def mark_of(entry: Entry) -> tuple[int, str]:
    """Return a position and what tells the event there from that of any other log: its name and its own time."""
    position, event = entry
    return position, f"{event.ref} at {event.recorded_at.isoformat()}"


def read(connection: Connection) -> Bookmark | None:
    """Return where the read model is; None if it does not say so."""
    table = schema.position
    # In this order: older versions have no column for the event.
    version = connection.scalar(select(table.c.version).where(table.c.name == NAME))
    if version is None:
        return None
    event = table.c.event if version == schema.VERSION else null()
    query = select(table.c.notification_id, event).where(table.c.name == NAME)
    position, seen = connection.execute(query).one()
    return Bookmark(position, seen, version)


def move(connection: Connection, position: int, to: Entry) -> bool:
    """Move on from a position by compare-and-set; false if the read model is not there."""
    table = schema.position
    reached, event = mark_of(to)
    here = (table.c.name == NAME, table.c.version == schema.VERSION, table.c.notification_id == position)
    moved = connection.execute(update(table).where(*here).values(notification_id=reached, event=event))
    return moved.rowcount == 1


def begin_anew(connection: Connection) -> None:
    """Empty the read model, whatever shape it has, and open it at the start of the log."""
    schema.metadata.drop_all(connection)
    schema.metadata.create_all(connection)
    start = {"name": NAME, "version": START.version, "notification_id": START.position}
    connection.execute(insert(schema.position).values(start))


def discard(connection: Connection) -> None:
    """Have the next projector begin anew."""
    connection.execute(update(schema.position).values(version=0))
