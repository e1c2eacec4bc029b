"""The control API of a simulated VMA's world: each verb is a method, with its arguments as JSON.

It is for programs of this machine. A web page in a browser of this machine must not use it: such a page cannot send
this host in the address, nor this content type without a preflight request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from adapters.simulated_vma.faults import json_response
from adapters.simulated_vma.injection import Faults
from adapters.simulated_vma.world import World

BAD_REQUEST, FORBIDDEN, UNSUPPORTED = 400, 403, 415
LOCAL = {"127.0.0.1", "localhost"}
Verb = Callable[..., object]


@web.middleware
async def _local_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests that a web page could send."""
    own = str(request.url.origin())
    if request.url.host not in LOCAL or request.headers.get("Origin", own) != own:
        return json_response({"error": "ask 127.0.0.1 or localhost, and without a foreign Origin"}, FORBIDDEN)
    if request.method not in {"GET", "HEAD"} and request.content_type != "application/json":
        return json_response({"error": "send the arguments with Content-Type: application/json"}, UNSUPPORTED)
    return await handler(request)


def control_app(world: World, faults: Faults) -> web.Application:
    """Return the application: `GET /world`, and `POST /{verb}` with a method's arguments; the result is the answer."""
    verbs: dict[str, Verb] = {
        "add_job": world.add_job,
        "set_document": world.set_document,
        "set_status": world.set_status,
        "say": world.say,
        "contradict": world.contradict,
        "finish": world.finish,
        "run_zero_change": world.run_zero_change,
        "fail": world.fail,
        "remove": world.remove,
        "kill": world.kill,
        "freeze": world.freeze,
        "resume": world.resume,
        "forget": world.forget,
        "restart": world.restart,
        "report_of": world.report_of,
        "fault": faults.set,
        "clear_faults": faults.clear,
    }

    async def show(_request: web.Request) -> web.Response:
        return json_response(world.jobs())

    async def act(request: web.Request) -> web.Response:
        verb = verbs.get(request.match_info["verb"])
        if verb is None:
            return json_response({"error": f"the verbs are: {', '.join(verbs)}"}, BAD_REQUEST)
        try:
            arguments: dict[str, Any] = msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any])
            # In a thread, because closing the listener waits for this event loop.
            result = await asyncio.to_thread(verb, **arguments)
        except (LookupError, TypeError, ValueError) as error:
            return json_response({"error": str(error)}, BAD_REQUEST)
        return json_response({"done": request.match_info["verb"]} | ({} if result is None else {"result": result}))

    app = web.Application(middlewares=[_local_only])
    app.router.add_get("/world", show)
    app.router.add_post("/{verb}", act)
    return app
