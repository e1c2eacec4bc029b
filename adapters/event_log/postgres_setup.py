"""Sets up a log on PostgreSQL, in a session of its own with longer time limits."""

from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_schema import Installation, prepare
from adapters.event_log.postgres_session import Database, check_writable

SETUP_TIMEOUT = 60.0
"""Seconds for creating or upgrading the tables, and for waiting until another process has."""


def set_up(database: Database, copy_of: str | None = None) -> Installation:
    """Create or upgrade the tables, new ones as an unfinished copy of a log; return the installation."""
    with translating(), database.connect("setup", statement=SETUP_TIMEOUT, lock=SETUP_TIMEOUT) as session:
        check_writable(session)
        return prepare(session, database.schema, copy_of)
