"""A stream misses nothing that is stored while it reads, and waits when there is nothing to send."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from fastapi.sse import ServerSentEvent
from starlette.requests import Request

from api.http.app import create_app
from api.http.event_ids import Start
from api.http.filters import AuditQuery
from api.http.routes.stream import stream_events
from api.runtime.bootstrap import Service
from tests.support.clock import FakeClock
from tests.support.past import Meanwhile, service_with
from tests.support.written import log_of

REGISTERED, OBSERVED = log_of(("job-1", 0.0), ("job-1", 1.0))

NO_END = 30.0
"""Seconds after which a stream that sends nothing is taken to be without an end; it sends something each second."""


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with service_with([REGISTERED], tmp_path, FakeClock()) as service:
        yield service


async def first_of(service: Service, count: int, wanted: AuditQuery) -> list[ServerSentEvent]:
    """Return the first that a stream from the beginning of the log sends."""
    request = Request({"type": "http", "app": create_app(service), "headers": []})
    stream = stream_events(request, Start(0, "0"), wanted)
    async with asyncio.timeout(NO_END):
        return [await anext(stream) for _ in range(count)]


async def test_an_event_that_is_stored_while_a_filtered_stream_reads_is_sent(service: Service) -> None:
    racing = msgspec.structs.replace(service, trail=Meanwhile(service, OBSERVED))

    _, sent = await first_of(racing, 2, AuditQuery(type=("VMAStatusObserved",)))

    assert (sent.event, (sent.id or "").partition(".")[0]) == ("VMAStatusObserved", "2")


async def test_a_stream_without_a_match_waits_for_the_next_event(service: Service) -> None:
    trail = Meanwhile(service)

    _, sent = await first_of(msgspec.structs.replace(service, trail=trail), 2, AuditQuery(type=("JobReleased",)))

    assert (sent.comment, trail.asked) == ("still here", 1)
