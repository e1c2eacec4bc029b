"""What a process of its own does in a test; it imports little."""

import os
import signal

from adapters.event_log.copying import copy
from adapters.event_log.database_errors import EventLogInUse
from adapters.event_log.postgres_store import PostgresEventLog
from api.runtime.log_places import place_at
from domain.errors import StorageUnavailable


def open_once(url: str, schema: str) -> str:
    """Open and close a log, and return what became of it; again if the server does not answer in time."""
    while True:
        try:
            PostgresEventLog(url, schema, patience=0).close()
        except EventLogInUse:
            return "in use"
        except StorageUnavailable:
            continue
        return "open"


def copy_until_killed(source: tuple[str, str], target: tuple[str, str], block_size: int, killed_at: int) -> None:
    """Copy from one address and schema to another, and end like a crash when the copy reaches a position."""

    def tell(position: int) -> None:
        if position >= killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with place_at(*source).source() as reading, place_at(*target).target(reading.place) as writing:
        copy(reading, writing, tell, block_size=block_size)
