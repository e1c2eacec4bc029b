"""Where a request's events say they come from."""

import re
import secrets
from typing import Annotated

from fastapi import Header, Request

from api.http.guard import caller_of
from domain.events import Trace

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)


def request_trace(
    request: Request,
    x_request_id: Annotated[str | None, Header(description="Correlates the events of this request.")] = None,
) -> Trace:
    """Return the request's id as correlation id: the caller's own if it is a plain one, otherwise a new one."""
    if x_request_id is None or _ACCEPTABLE.fullmatch(x_request_id) is None:
        x_request_id = secrets.token_hex(8)
    return Trace(f"request-{x_request_id}", f"request-{x_request_id}", caller_of(request).name)
