"""Refuses a pooler that gives a session another server process for each transaction, such as PgBouncer in that mode.

Locks, settings and time limits of a session would stay with a process that serves strangers next.
"""

from collections.abc import Callable
from typing import Any

import psycopg

ROUNDS = 3
REFUSAL = (
    "a connection pooler in transaction mode is between this service and PostgreSQL: two transactions of one session "
    "were in two server processes. Connect to PostgreSQL itself, or set PgBouncer's pool_mode to session"
)


class TransactionPooling(psycopg.OperationalError):
    """The pooler is in transaction mode."""


def refuse_transaction_pooling(
    session: psycopg.Connection[Any], connect: Callable[[], psycopg.Connection[Any]]
) -> None:
    """Compare the server process of several transactions.

    An idle pooler gives a session the same process again. So another session takes that process meanwhile, if it can.

    Args:
        session: in autocommit mode.
        connect: returns another session.

    Raises:
        TransactionPooling: the pooler is in transaction mode.

    """
    first = _server_process(session)
    if first == session.info.backend_pid:
        # Poolers invent the number that the protocol gives to a client for cancelling.
        return
    with connect() as other:
        for _ in range(ROUNDS):
            with other.transaction():
                if _server_process(other) == first or _server_process(session) != first:
                    raise TransactionPooling(REFUSAL)


def _server_process(session: psycopg.Connection[Any]) -> int:
    (found,) = session.execute("SELECT pg_backend_pid() AS pid").fetchone().values()  # type: ignore[union-attr]
    return int(found)
