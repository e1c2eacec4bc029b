"""Threads that read a log: when the database is away, what waits for them does not wait in turn."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from adapters.event_log.database_errors import UNAVAILABLE, DatabaseUnavailable

T = TypeVar("T")

READERS = 2
"""Threads, and sessions on a server. More would only wait for the interpreter's lock."""


class ReadingThreads:
    """Runs queries in a few threads.

    A query that fails because the database cannot be used also fails all queries that were waiting at that moment: they
    have waited as long, and one after the other would wait as long again. `group_commit` does the same for writes.
    """

    def __init__(self, number: int = READERS) -> None:
        """Start a thread when it is needed, and `number` at most."""
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="event-reader")
        self._asked = 0
        self._failed = 0
        """The last query that had been asked for when one failed."""
        self._why = ""

    async def run(self, query: Callable[[], T]) -> T:
        """Return what a query returns."""
        self._asked += 1
        work = partial(self._work, self._asked, query)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def shutdown(self) -> None:
        """Wait for the queries, and end the threads."""
        self._threads.shutdown()

    def _work(self, number: int, query: Callable[[], T]) -> T:
        if number <= self._failed:
            raise DatabaseUnavailable(self._why)
        try:
            return query()
        except UNAVAILABLE as error:
            self._why, self._failed = str(error), self._asked
            raise
