"""The event log of the settings: a file in the data directory, or a schema of a PostgreSQL database."""

from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.file_owner import create_for_owner
from api.runtime.log_places import FilePlace, LogPlace, place_at
from api.runtime.settings import Settings
from domain.ports import Log

FILE = "events.sqlite"


def open_event_log(settings: Settings, log: Log, instance: str | None = None) -> DatabaseEventLog:
    """Open or create the event log, and verify it. `instance` is the id of this process among those that share it.

    Raises:
        EventLogInUse: another process writes it.
        StorageUnavailable: it cannot be used.

    """
    if settings.database_url is None:
        create_for_owner(settings.data_dir / FILE)
        return SQLiteEventLog(settings.data_dir / FILE, synchronous=settings.sqlite_synchronous, logger=log)
    # psycopg is slow to import, and most services do not need it.
    from adapters.event_log.postgres_store import PostgresEventLog  # noqa: PLC0415

    url = settings.database_url.get_secret_value()
    return PostgresEventLog(url, settings.database_schema, instance=instance, logger=log)


def log_place(settings: Settings) -> LogPlace:
    """Return where the event log is."""
    if settings.database_url is None:
        return FilePlace((settings.data_dir / FILE).absolute())
    return place_at(settings.database_url.get_secret_value(), settings.database_schema)
