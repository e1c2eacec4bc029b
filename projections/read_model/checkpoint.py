"""The checkpoint of the read model in the log: a position, and the event there, which identifies the log."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from domain.events import is_named
from projections.read_model import schema
from projections.read_model.audit_rows import Entry

NAME = "read-model"


class Checkpoint(msgspec.Struct, frozen=True):
    """The last applied event, None at the start of the log; not valid if all is to be derived again."""

    position: int
    event: str | None
    is_valid: bool = True

    def matches(self, entries: Sequence[Entry]) -> bool:
        """Return whether the log's entry at this position is the event that was applied."""
        return [position for position, _ in entries] == [self.position] and is_named(entries[0][1], self.event)


START = Checkpoint(0, None)


def at(entry: Entry) -> Checkpoint:
    """Return the checkpoint after an event."""
    position, event = entry
    return Checkpoint(position, event.identity)


def read(connection: Connection) -> Checkpoint | None:
    """Return the checkpoint; None if there is none."""
    table = schema.position
    query = select(table.c.notification_id, table.c.event, table.c.is_valid).where(table.c.name == NAME)
    row = connection.execute(query).one_or_none()
    return Checkpoint(*row) if row else None


def move(connection: Connection, position: int, to: Entry) -> bool:
    """Move from a position to a later one by compare-and-set; return False if the checkpoint is elsewhere."""
    table = schema.position
    reached = at(to)
    here = (table.c.name == NAME, table.c.is_valid.is_(True), table.c.notification_id == position)
    moved = connection.execute(update(table).where(*here).values(notification_id=reached.position, event=reached.event))
    return moved.rowcount == 1


def reset(connection: Connection) -> None:
    """Replace the read model by an empty one at the start of the log.

    On MariaDB each step is a transaction. So the checkpoint is deleted first and inserted last: without one, the read
    model is replaced again.
    """
    schema.metadata.create_all(connection, tables=[schema.position])
    connection.execute(delete(schema.position).where(schema.position.c.name == NAME))
    schema.metadata.drop_all(connection)
    schema.metadata.create_all(connection)
    start = {"name": NAME, "is_valid": True, "notification_id": START.position}
    connection.execute(insert(schema.position).values(start))


def invalidate(connection: Connection) -> None:
    """Make the next projector rebuild the read model."""
    connection.execute(update(schema.position).values(is_valid=False))
