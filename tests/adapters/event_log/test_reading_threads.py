"""Queries that wait for a database that is away are refused together; others are not."""

import asyncio
import threading

import pytest

from adapters.event_log.database_errors import DatabaseUnavailable
from adapters.event_log.reading_threads import ReadingThreads


async def test_what_waits_for_a_query_that_is_refused_is_refused_with_it_and_what_comes_later_is_not() -> None:
    threads, refuse, asked = ReadingThreads(1), threading.Event(), []

    def refused() -> None:
        assert refuse.wait(10)
        raise DatabaseUnavailable("it is locked")

    queries = [asyncio.ensure_future(threads.run(query)) for query in (refused, lambda: asked.append("waits"))]
    await asyncio.sleep(0)
    refuse.set()
    for query in queries:
        with pytest.raises(DatabaseUnavailable, match="it is locked"):
            await query
    await threads.run(lambda: asked.append("comes later"))
    threads.shutdown()

    assert asked == ["comes later"]


async def test_an_error_that_is_of_one_query_refuses_no_other() -> None:
    threads, fail = ReadingThreads(1), threading.Event()

    def failing() -> None:
        assert fail.wait(10)
        raise LookupError("of this query")

    first, second = (asyncio.ensure_future(threads.run(query)) for query in (failing, lambda: "answered"))
    await asyncio.sleep(0)
    fail.set()

    with pytest.raises(LookupError, match="of this query"):
        await first
    assert await second == "answered"
    threads.shutdown()
