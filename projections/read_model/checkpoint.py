"""The checkpoint of the read model in the log: a position, and the event there, which identifies the log."""

import msgspec
from sqlalchemy import Connection, insert, null, select, update

from projections.read_model import schema
from projections.read_model.audit_rows import Entry

NAME = "read-model"


class Checkpoint(msgspec.Struct, frozen=True):
    """The last applied event, and the version of the schema; `event` is None at the start of the log."""

    position: int
    event: str | None
    version: int

    def matches(self, entries: list[Entry]) -> bool:
        """Return whether the log's entry at this position is the event that was applied."""
        return [identity_of(entry) for entry in entries] == [(self.position, self.event)]


START = Checkpoint(0, None, schema.VERSION)


def identity_of(entry: Entry) -> tuple[int, str]:
    """Return a position and a text that identifies the event there among all logs: its reference and its time."""
    position, event = entry
    return position, f"{event.ref} at {event.recorded_at.isoformat()}"


def read(connection: Connection) -> Checkpoint | None:
    """Return the checkpoint; None if there is none."""
    table = schema.position
    # The version first: older ones have no column for the event.
    version = connection.scalar(select(table.c.version).where(table.c.name == NAME))
    if version is None:
        return None
    event = table.c.event if version == schema.VERSION else null()
    query = select(table.c.notification_id, event).where(table.c.name == NAME)
    position, reference = connection.execute(query).one()
    return Checkpoint(position, reference, version)


def move(connection: Connection, position: int, to: Entry) -> bool:
    """Move from a position to a later one by compare-and-set; return False if the checkpoint is elsewhere."""
    table = schema.position
    reached, event = identity_of(to)
    here = (table.c.name == NAME, table.c.version == schema.VERSION, table.c.notification_id == position)
    moved = connection.execute(update(table).where(*here).values(notification_id=reached, event=event))
    return moved.rowcount == 1


def reset(connection: Connection) -> None:
    """Replace the read model, of whatever version, by an empty one at the start of the log."""
    schema.metadata.drop_all(connection)
    schema.metadata.create_all(connection)
    start = {"name": NAME, "version": START.version, "notification_id": START.position}
    connection.execute(insert(schema.position).values(start))


def invalidate(connection: Connection) -> None:
    """Make the next projector rebuild the read model."""
    connection.execute(update(schema.position).values(version=0))
