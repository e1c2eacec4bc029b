"""The read model's file: opened, checked, and quarantined if it is damaged."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from domain.errors import StorageUnavailable
from domain.ports import Log
from projections.read_model import checkpoint, schema
from projections.read_model.errors import ReadModelDamaged, translate_errors

FOLDED = (schema.jobs, schema.vm_contexts, schema.recovery_runs)
OPENED = "file"


def open_read_model(
    path: Path, sqlite: ModuleType, logger: Log | None = None, create: Callable[[Path], None] = lambda _: None
) -> Engine:
    """Open or create the read model, and check all of its pages; replace a damaged one by an empty one.

    The check takes about 0.12 s per 100,000 events. The next projector rebuilds an empty read model from the log.

    Args:
        path: the SQLite file.
        sqlite: the SQLite module, the same for the whole process.
        logger: gets a warning when a read model is quarantined.
        create: is called before the file is opened, and may create it, empty, for another user.

    Raises:
        StorageUnavailable: it cannot be opened or written now.

    """
    create(path)
    try:
        return _open(path, sqlite)
    except ReadModelDamaged as damaged:
        moved_to = quarantine(path)
        if logger is not None:
            logger.warning("read_model_quarantined", why=str(damaged), moved_to=str(moved_to))
        create(path)
        return _open(path, sqlite)


def quarantine(path: Path) -> Path:
    """Rename a damaged read model, delete SQLite's files beside it, and return the new path."""
    moved_to = path.with_suffix(".damaged")
    path.replace(moved_to)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return moved_to


def request_rebuild(engine: Engine) -> None:
    """Make the next projector rebuild the read model.

    Nothing is deleted here: if the log is lost, the projector refuses to, because only the read model is left.
    """
    with translate_errors(engine), engine.begin() as connection:
        if inspect(connection).has_table(schema.position.name):
            checkpoint.invalidate(connection)


def _open(path: Path, sqlite: ModuleType) -> Engine:
    # Not as text: a `?` or a `%` in a directory's name would be parsed as part of the URL.
    address = URL.create("sqlite", database=str(path))
    engine = create_engine(address, module=sqlite, connect_args={"timeout": 10})
    event.listen(engine, "connect", _tune)
    event.listen(engine, "connect", partial(_remember_file, path))
    event.listen(engine, "checkout", partial(_check_file, path))
    try:
        with engine.begin() as connection:
            _check_and_complete(connection)
    except (DatabaseError, ReadModelDamaged) as error:
        engine.dispose()
        raise _translate(path, error) from error
    return engine


def _translate(path: Path, error: DatabaseError | ReadModelDamaged) -> StorageUnavailable:
    if isinstance(error, ReadModelDamaged):
        return ReadModelDamaged(f"the read model {path} is damaged: {error}")
    if isinstance(error, OperationalError):
        message = (
            f"the read model {path} cannot be opened: {error.orig}. Correct this and start again, "
            "or delete the file: it is rebuilt from the log"
        )
        return StorageUnavailable(message)
    return ReadModelDamaged(f"the read model {path} is damaged: {error.orig}")


def _check_and_complete(connection: Connection) -> None:
    """Check all pages and all aggregates, and create missing tables."""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if found != "ok":
        raise ReadModelDamaged(" ".join(found.split()))
    present = set(inspect(connection).get_table_names())
    for table in FOLDED:
        if table.name in present:
            _check_folded(connection, table.name)
    missing = schema.metadata.tables.keys() - present
    if schema.position.name in missing or checkpoint.read(connection) is None:
        checkpoint.reset(connection)
    elif missing:
        schema.metadata.create_all(connection)
        checkpoint.invalidate(connection)


def _check_folded(connection: Connection, table: str) -> None:
    query = f"SELECT id FROM {table} WHERE NOT json_valid(CAST(folded AS TEXT)) LIMIT 1"  # noqa: S608 - a constant
    broken = connection.exec_driver_sql(query).scalar()
    if broken is not None:
        raise ReadModelDamaged(f"{broken} in {table} is not JSON")


def _tune(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # A loss of power loses rows that are derived again from the log.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _remember_file(path: Path, _: DBAPIConnection, pooled: ConnectionPoolEntry) -> None:
    pooled.info[OPENED] = _file_of(path)


def _check_file(path: Path, _: DBAPIConnection, pooled: ConnectionPoolEntry, __: object) -> None:
    """Refuse a connection to a file that was deleted or replaced while it was open. Then SQLAlchemy opens another.

    Otherwise some connections would be to a file without a name, and others to its successor.
    """
    if pooled.info[OPENED] != _file_of(path):
        raise DisconnectionError


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
