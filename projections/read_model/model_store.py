"""The transactions of the projector on the read model."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select

from domain.errors import StorageUnavailable
from domain.events import identity
from projections.read_model import checkpoint, projector_lock, schema
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import START, Checkpoint
from projections.read_model.errors import is_on_server, translate_errors
from projections.read_model.tables import apply_batch

OF_ANY_RELEASE = re.compile(r"read_model_\d+_[0-9a-f]{8}_")
"""How the names of any release's tables begin."""


class ModelStore:
    """Reads and writes the read model, in the calling thread. Its errors are those of `translate_errors`."""

    def __init__(self, engine: Engine) -> None:
        """Use the connections of `engine`: of a server it has one only, which has the projector's lock."""
        self._engine = engine

    def acquire(self) -> bool:
        """Return whether this process has, or has now got, the lock of the projector."""
        with translate_errors(self._engine), self._engine.connect() as connection:
            return projector_lock.acquire(connection)

    def apply(self, entries: Sequence[Entry], after: int) -> dict[int, str]:
        """Apply a batch after a position, and move the checkpoint; return why an event was skipped, by position.

        Raises:
            StorageUnavailable: the checkpoint is at another position; nothing was applied.

        """
        with self._writing() as connection:
            if not checkpoint.move(connection, after, entries[-1]):
                raise StorageUnavailable(f"the read model is not at position {after}: another projector moved it")
            return apply_batch(connection, entries)

    def reset(self) -> None:
        """Replace the read model by an empty one."""
        with self._writing() as connection:
            checkpoint.reset(connection)

    def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint; None if there is none, or a table is missing."""
        with translate_errors(self._engine), self._engine.connect() as connection:
            missing = schema.metadata.tables.keys() - set(inspect(connection).get_table_names())
            return None if missing else checkpoint.read(connection)

    def applied_by(self, position: int) -> Checkpoint:
        """Return the last event that was applied and read, at a position or before it."""
        table = schema.audit_trail
        query = select(table.c.position, table.c.stream_id, table.c.version, table.c.recorded_at)
        with translate_errors(self._engine), self._engine.connect() as connection:
            found = connection.execute(
                query.where(table.c.position <= position).order_by(table.c.position.desc()).limit(1)
            ).one_or_none()
        if found is None:
            return START
        name = identity(f"{found.stream_id}#{found.version}", found.recorded_at.replace(tzinfo=UTC))
        return Checkpoint(found.position, name)

    def unreadable_events(self) -> Sequence[int]:
        """Return the positions of the events that could not be read."""
        table = schema.skipped_events
        with translate_errors(self._engine), self._engine.connect() as connection:
            return connection.scalars(select(table.c.position).where(table.c.is_unreadable.is_(True))).all()

    def other_releases(self) -> Sequence[str]:
        """Return how the names of the tables begin that other releases have here."""
        with translate_errors(self._engine), self._engine.connect() as connection:
            found = map(OF_ANY_RELEASE.match, inspect(connection).get_table_names())
        return sorted({name[0] for name in found if name is not None} - {schema.PREFIX})

    def log_lost(self, applied: int) -> str:
        """Return the message that the log is empty, although this read model has applied events of it."""
        if is_on_server(self._engine):
            place, remedy = "", f"drop the tables {schema.PREFIX}*"
        else:
            model = Path(self._engine.url.database or "read_model.sqlite")
            place, remedy = f" in {model.parent}", f"delete {model}"
        return (
            f"the event log{place} is empty, but the read model has applied {applied} events of it: "
            f"restore the log from a backup, or, to start with an empty log, {remedy}, too"
        )

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Return a transaction of the session that has the lock."""
        with translate_errors(self._engine), self._engine.begin() as connection:
            if not projector_lock.acquire(connection):
                raise StorageUnavailable("another process updates the read model")
            yield connection
