"""Opens the writer's session again, with back-off and jitter, for callers that wait only a limited time."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic

from adapters.event_log.database_errors import DatabaseUnavailable
from adapters.event_log.postgres_session import Session

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two attempts."""


class Connector:
    """Opens one session at a time, in a thread: looking up a host's name can take longer than a caller may wait."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        """`connect` returns a session that can be used, or raises an error."""
        self._connect = connect
        self._attempt: Future[Session] | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._error = ""

    def session(self, deadline: float) -> Session:
        """Return a new session.

        Raises:
            DatabaseUnavailable: there is none before the deadline, or it is too early for another attempt.
            EventLogInUse: another process has the log.

        """
        if self._attempt is None:
            if monotonic() < self._retry_at:
                raise DatabaseUnavailable(self._error)
            self._attempt = _in_a_thread(self._connect)
        try:
            session = self._attempt.result(max(0.0, deadline - monotonic()))
        except TimeoutError:
            raise DatabaseUnavailable("the server does not answer") from None
        except BaseException as error:
            self._fail(error)
            raise
        self._attempt, self._failures = None, 0
        return session

    def close(self) -> None:
        """Close the session of an attempt that nobody has waited for."""
        if self._attempt is not None:
            self._attempt.add_done_callback(_close)
            self._attempt = None

    def _fail(self, error: BaseException) -> None:
        self._attempt, self._error = None, str(error)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._retry_at = monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret


def _close(attempt: Future[Session]) -> None:
    if attempt.exception() is None:
        attempt.result().close()


def _in_a_thread(connect: Callable[[], Session]) -> Future[Session]:
    """Call a function in a thread that does not keep the process from ending."""
    done: Future[Session] = Future()

    def run() -> None:
        try:
            done.set_result(connect())
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            done.set_exception(error)

    Thread(target=run, name="event-connector", daemon=True).start()
    return done
