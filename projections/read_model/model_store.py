"""The transactions of the projector on the read model."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, select

from domain.errors import StorageUnavailable
from projections.read_model import checkpoint, schema
from projections.read_model.audit_rows import Entry
from projections.read_model.checkpoint import Checkpoint
from projections.read_model.errors import translate_errors
from projections.read_model.tables import apply_batch


class ModelStore:
    """Reads and writes the read model, in the calling thread. Its errors are those of `translate_errors`."""

    def __init__(self, engine: Engine) -> None:
        """Use the connections of `engine`."""
        self._engine = engine

    def apply(self, entries: Sequence[Entry], after: int) -> dict[int, str]:
        """Apply a batch after a position, and move the checkpoint; return why an event was skipped, by position.

        Raises:
            StorageUnavailable: the checkpoint is at another position; nothing was applied.

        """
        with translate_errors(), self._engine.begin() as connection:
            if not checkpoint.move(connection, after, entries[-1]):
                raise StorageUnavailable(f"the read model is not at position {after}: another projector moved it")
            return apply_batch(connection, entries)

    def reset(self) -> None:
        """Replace the read model by an empty one."""
        with translate_errors(), self._engine.begin() as connection:
            checkpoint.reset(connection)

    def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint; None if there is none."""
        with translate_errors(), self._engine.connect() as connection:
            return checkpoint.read(connection)

    def unreadable_events(self) -> Sequence[int]:
        """Return the positions of the events that could not be read."""
        table = schema.skipped_events
        with translate_errors(), self._engine.connect() as connection:
            return connection.scalars(select(table.c.position).where(table.c.is_unreadable)).all()

    def log_lost(self, applied: int) -> str:
        """Return the message that the log is empty, although this read model has applied events of it."""
        model = Path(self._engine.url.database or "read_model.sqlite")
        return (
            f"the event log in {model.parent} is empty, but the read model has applied {applied} events of it: "
            f"restore the log from a backup, or, to start with an empty log, delete {model}, too"
        )
