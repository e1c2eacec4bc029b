"""A read model on a server: PostgreSQL or MariaDB."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from projections.read_model.errors import ReadModelAway, said
from projections.read_model.threads import DaemonThreads

READERS = 3
"""Sessions that read. One more writes."""

GET_TIMEOUT = 2.0
"""Seconds in which a session is free, or the query fails."""

READ_TIMEOUT, WRITE_TIMEOUT = 4.0, 60.0
"""Seconds for one statement. After a step of a clock, one statement may change most rows of the audit trail."""

START_PATIENCE = 2.0
"""Seconds that a step of the start waits for the read model. Jobs are watched without it."""

SILENT = "the read model cannot be used now: its server does not answer in time"

LOCK_TIMEOUT = 3
"""Seconds that a statement waits for a lock, at most."""

READER_IDLE, PROJECTOR_IDLE = 31_536_000, 20
"""Seconds without a statement after which MariaDB ends a session. The projector's has a lock, and is used each second:
a session whose network or machine is gone must not keep the lock."""

DIALECTS = {"postgresql": "postgresql+psycopg://", "mariadb": "mariadb+pymysql://"}

Connect = Callable[[], Any]
"""Returns a new session of the driver, in no transaction."""


class Unusable(Exception):
    """The server is none that a read model can be on."""


class ReadModel(msgspec.Struct, frozen=True):
    """A read model: the sessions that read it, the one that writes it, and the threads for them.

    One thread writes, so that a call begins when a cancelled one before it is over.
    """

    readers: Engine
    writer: Engine
    reading: DaemonThreads | None = None
    writing: DaemonThreads | None = None

    def close(self) -> None:
        """Close all sessions."""
        for threads in (self.reading, self.writing):
            if threads is not None:
                threads.shutdown()
        self.readers.dispose()
        self.writer.dispose()


def on_server(dialect: str, connect_reader: Connect, connect_writer: Connect) -> ReadModel:
    """Return a read model on a server; nothing is connected yet."""
    return ReadModel(
        _engine(dialect, connect_reader, READERS),
        _engine(dialect, connect_writer, 1),
        DaemonThreads(READERS, "read-model-reader"),
        DaemonThreads(1, "read-model-writer"),
    )


def check_access(model: ReadModel) -> None:
    """Connect once, to a server.

    Raises:
        Unusable: it is not of the kind that the settings name.
        ReadModelAway: it cannot be used now, or has not answered within `START_PATIENCE`. A refused password, which was
            changed perhaps, is no reason to watch no job.

    """
    if model.writing is None:
        return
    try:
        model.writing.submit(lambda: model.writer.connect().close()).result(START_PATIENCE)
    except TimeoutError:
        raise ReadModelAway(SILENT) from None
    except DBAPIError as error:
        raise ReadModelAway(said(error)) from None
    except SQLAlchemyError as error:
        raise Unusable(str(error)) from None


def _engine(dialect: str, connect: Connect, sessions: int) -> Engine:
    # The address has no password, so that no message can have one.
    return create_engine(
        DIALECTS[dialect],
        creator=connect,
        poolclass=QueuePool,
        pool_size=sessions,
        max_overflow=0,
        pool_timeout=GET_TIMEOUT,
        pool_pre_ping=True,
        hide_parameters=True,
        # Texts are what they are; a server that another release uses, too, needs no statement of its own for it.
        **({"use_native_hstore": False} if dialect == "postgresql" else {}),
    )
