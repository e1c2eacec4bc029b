"""Who has locked the tables of a log, for messages."""

from typing import Any

import psycopg
from psycopg.rows import DictRow

HOLDERS = """
WITH locks AS (
    SELECT pid, mode, granted FROM pg_locks
    WHERE relation IN ('stored_events'::regclass, 'seals'::regclass, 'heartbeat'::regclass)
)
SELECT pid, application_name, usename, state, left(query, 60) AS query
FROM pg_stat_activity
WHERE (pid IN (SELECT pid FROM locks WHERE mode <> 'AccessShareLock')
       OR pid IN (SELECT unnest(pg_blocking_pids(pid)) FROM locks WHERE NOT granted AND mode <> 'AccessShareLock'))
  AND pid <> pg_backend_pid()
  AND application_name NOT IN (%s, replace(%s, ' reader ', ' writer '))
ORDER BY pid
"""
"""Who has a lock that a writer waits for, or waits for one before it; and whom that one waits for, such as a reader.

Not this process itself, whose writer may wait at the same moment.
"""


def who_locks(session: psycopg.Connection[DictRow]) -> str:
    """Return who has locked the tables, or waits to lock them before anyone else can."""
    own = session.info.parameter_status("application_name")
    holders = [_holder(row) for row in session.execute(HOLDERS, [own, own]).fetchall()]
    return "its table is locked by " + (", ".join(holders) or "another process, which has just ended")


def _holder(row: dict[str, Any]) -> str:
    who = f"{row['application_name'] or 'a program without a name'}, user {row['usename']}"
    # Only a role with `pg_read_all_stats` sees what other users do.
    doing = f", {row['state']}: {' '.join(row['query'].split())}" if row["state"] else ""
    return f"PostgreSQL process {row['pid']} ({who}{doing})"
