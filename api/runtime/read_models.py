"""The read model of the settings: a file in the data directory, or a database."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.event_log.sqlite import sqlite3
from adapters.host.file_owner import create_for_owner
from adapters.host.private_files import prepare
from api.runtime.settings import Settings
from domain.errors import InvalidInput
from domain.ports import Log
from projections.read_model import model_server
from projections.read_model.errors import ReadModelAway
from projections.read_model.model_file import open_read_model as open_file
from projections.read_model.model_server import ReadModel
from projections.read_model.threads import DaemonThreads

if TYPE_CHECKING:
    from adapters.event_log.postgres_session import Database
    from projections.read_model.mariadb import Server

FILE = "read_model.sqlite"


def open_read_model(settings: Settings, log: Log) -> ReadModel:
    """Open the read model. A server that is away is connected to later.

    Raises:
        InvalidInput: the server is not of the kind that the settings name.
        StorageUnavailable: the file cannot be used.

    """
    url = settings.read_model_url.get_secret_value() if settings.read_model_url else None
    if url is None or url.startswith("sqlite:"):
        engine = open_file(_path(settings, url), sqlite3, log, create_for_owner)
        return ReadModel(engine, engine, writing=DaemonThreads(1, "read-model-writer"))
    model = _of_url(url, settings.database_schema)
    try:
        model_server.check_access(model)
    except ReadModelAway as away:
        log.warning("read_model_away", why=str(away))
    except model_server.Unusable as unusable:
        model.close()
        raise InvalidInput(f"JOB_RECOVERY_READ_MODEL_URL: {unusable}") from None
    return model


def _path(settings: Settings, url: str | None) -> Path:
    if url is None:
        return prepare(settings.data_dir) / FILE
    return Path(url.removeprefix("sqlite:///"))


def _of_url(url: str, schema: str) -> ReadModel:
    if not url.startswith("mariadb:"):
        return on_postgres(url, schema)
    # As with psycopg, most services do not need it.
    from projections.read_model.mariadb import server_of  # noqa: PLC0415

    return on_mariadb(server_of(url))


def on_mariadb(server: "Server") -> ReadModel:
    """Return a read model in a database of MariaDB; nothing is connected yet."""
    lock = model_server.LOCK_TIMEOUT
    return model_server.on_server(
        "mariadb",
        partial(server.connect, statement=model_server.READ_TIMEOUT, lock=lock, idle=model_server.READER_IDLE),
        partial(server.connect, statement=model_server.WRITE_TIMEOUT, lock=lock, idle=model_server.PROJECTOR_IDLE),
    )


def on_postgres(url: str, schema: str) -> ReadModel:
    """Return a read model in a schema of PostgreSQL; nothing is connected yet."""
    # psycopg is slow to import.
    from adapters.event_log.postgres_store import database_of  # noqa: PLC0415

    database = database_of(url, schema)
    return model_server.on_server(
        "postgresql",
        partial(_session, database, "read-model", model_server.READ_TIMEOUT),
        partial(_session, database, "projector", model_server.WRITE_TIMEOUT),
    )


def _session(database: "Database", role: str, statement: float) -> Any:  # noqa: ANN401 - SQLAlchemy's idea of a session
    """Return a session of PostgreSQL as SQLAlchemy needs it."""
    from psycopg.rows import tuple_row  # noqa: PLC0415 - as above

    from adapters.event_log.postgres_schema import create_schema  # noqa: PLC0415 - as above

    session: Any = database.connect(role, statement=statement, lock=model_server.LOCK_TIMEOUT)
    try:
        # A default of the role for other programs. A replica, and a role without the rights, refuse all the same.
        session.execute("SET default_transaction_read_only = off")
        create_schema(session, database.schema)
    except BaseException:
        session.close()
        raise
    session.row_factory = tuple_row
    session.autocommit = False
    return session
