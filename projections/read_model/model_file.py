"""The read model's file: opened, looked through, and set aside if it is damaged."""

from pathlib import Path
from types import ModuleType

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError

from domain.errors import StorageUnavailable
from domain.ports import Log
from projections.read_model import bookmark, schema
from projections.read_model.folded import ReadModelDamaged

FOLDED = ("jobs", "vm_contexts", "recovery_runs")


def open_read_model(path: Path, sqlite: ModuleType, log: Log | None = None) -> Engine:
    """Open or create the read model; a damaged one is set aside, for the next projector folds it anew from the log.

    All of its pages are looked through. That takes about 0.12 s per 100,000 events.

    Args:
        path: the SQLite file.
        sqlite: the module with SQLite in it, the same that everything in this process uses.
        log: where it is said that a damaged one was set aside.

    Raises:
        StorageUnavailable: it cannot be opened or written now.

    """
    try:
        return _open(path, sqlite)
    except ReadModelDamaged as damaged:
        aside = set_aside(path)
        if log is not None:
            log.warning("read_model_quarantined", why=str(damaged), now_at=str(aside))
        return _open(path, sqlite)


def set_aside(path: Path) -> Path:
    """Move a damaged read model out of the way, with what belongs to it; return where it is now."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside


def empty(engine: Engine) -> None:
    """Have the next projector empty the read model, and fold the log from the start.

    It is not emptied here: if the log has been lost, this is all that is left, and the projector refuses.
    """
    with engine.begin() as connection:
        bookmark.discard(connection)


def _open(path: Path, sqlite: ModuleType) -> Engine:
    # Not as text: a `?` or a `%` in a directory's name would be taken for a part of the address.
    address = URL.create("sqlite", database=str(path))
    engine = create_engine(address, module=sqlite, connect_args={"timeout": 10})
    event.listen(engine, "connect", _tune)
    try:
        with engine.begin() as connection:
            _make_whole(connection)
    except (DatabaseError, ReadModelDamaged) as error:
        engine.dispose()
        raise _in_words(path, error) from error
    return engine


def _in_words(path: Path, error: DatabaseError | ReadModelDamaged) -> StorageUnavailable:
    if isinstance(error, ReadModelDamaged):
        return ReadModelDamaged(f"the read model {path} is damaged: {error}")
    if isinstance(error, OperationalError):
        message = (
            f"the read model {path} cannot be opened: {error.orig}. Mend that and start again; "
            "if nothing else helps, delete the file: it is rebuilt from the log"
        )
        return StorageUnavailable(message)
    return ReadModelDamaged(f"the read model {path} is damaged: {error.orig}")


def _make_whole(connection: Connection) -> None:
    """Look through all pages and all that is folded, and make what is not there."""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if found != "ok":
        raise ReadModelDamaged(" ".join(found.split()))
    there = set(inspect(connection).get_table_names())
    for table in there.intersection(FOLDED):
        _check_folded(connection, table)
    schema.metadata.create_all(connection)
    if bookmark.read(connection) is None:
        bookmark.begin_anew(connection)
    elif schema.metadata.tables.keys() - there:
        bookmark.discard(connection)


def _check_folded(connection: Connection, table: str) -> None:
    query = f"SELECT id FROM {table} WHERE NOT json_valid(CAST(folded AS TEXT)) LIMIT 1"  # noqa: S608 - one of ours
    broken = connection.exec_driver_sql(query).scalar()
    if broken is not None:
        raise ReadModelDamaged(f"{broken} in {table} is no JSON")


def _tune(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # What is lost here in a power cut is folded again from the log.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
