"""The answer to requests that have not finished when the service ends."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems

STOPPING = (
    "the service is stopping. A command may be stored all the same: look at the job when the service runs again, and "
    "repeat the command if necessary"
)


class AnsweredAtTheEnd:
    """ASGI middleware that refuses a request which is cancelled: the server's own answer would be a fault of ours."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; respond with problem details if it is cancelled before its response began."""
        began = False

        async def begin(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, begin)
        except asyncio.CancelledError:
            if began or scope["type"] != "http":
                raise
            # Nothing else cancels a request, and its task ends here.
            await problems.problem(Request(scope), HTTPStatus.SERVICE_UNAVAILABLE, STOPPING)(scope, receive, send)
