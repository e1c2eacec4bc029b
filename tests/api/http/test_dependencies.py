"""A request's events are correlated by the caller's own id, if that is one."""

import pytest
from starlette.requests import Request

from adapters.tokens import Scope
from api.http.dependencies import request_trace
from api.runtime.access import Caller
from domain.events import Trace

REQUEST = Request({"type": "http", "state": {"caller": Caller("mara", Scope.OPERATE)}})


@pytest.mark.parametrize("own", ["ticket-17", "a", "A.b_c:9", "x" * 100])
async def test_the_callers_own_id_is_taken_as_it_is(own: str) -> None:
    assert await request_trace(REQUEST, own) == Trace(f"request-{own}", f"request-{own}", "mara")


@pytest.mark.parametrize("own", [None, "", "ticket 17", "ticket-17\n", "ticket-17#2", "\u00e9", "x" * 101])
async def test_anything_else_is_replaced_by_a_new_id_for_each_request(own: str | None) -> None:
    traces = [await request_trace(REQUEST, own) for _ in range(2)]

    assert len({trace.correlation_id for trace in traces}) == 2
    for trace in traces:
        assert trace.correlation_id == trace.causation_id
        assert len(trace.correlation_id.removeprefix("request-")) == 16
