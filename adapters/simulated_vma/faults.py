"""The faults of single answers: how a VMA, or the tunnel before it, answers wrongly, late, or not at all."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import msgspec
from aiohttp import web

from adapters.simulated_vma.document_fields import DocumentFields, JSONObject, with_fields

Fault = Callable[[web.Request, JSONObject, dict[str, Any]], Awaitable[web.StreamResponse]]

MEGABYTE = 1_000_000
HTML = "<html><head><title>Gateway</title></head><body>Please log in</body></html>"


def json_response(document: object, status: int = 200) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")


def unauthorized() -> web.Response:
    """Return the refusal of a login by a web server with basic authentication."""
    return web.Response(status=401, text="Unauthorized\n", headers={"WWW-Authenticate": 'Basic realm="vma"'})


def _raw(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


async def _hang(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def _reset(request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _status(_request: web.Request, _document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    return web.Response(
        status=how.get("code", 502), text=how.get("text", HTML), content_type="text/html", headers=how.get("headers")
    )


async def _unauthorized(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return unauthorized()


async def _word(_request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    return json_response(with_fields(document, DocumentFields(status=how.get("word", "paused"))))


async def _percentage(_request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    return json_response(with_fields(document, DocumentFields(percent=how.get("percentage", 103.9))))


async def _html(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text=HTML, content_type="text/html")


async def _truncated(_request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    whole = msgspec.json.encode(document)
    return _raw(whole[: len(whole) // 2])


async def _short_body(request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    whole = msgspec.json.encode(document)
    response = web.StreamResponse(headers={"Content-Length": str(len(whole) * 2)})
    await response.prepare(request)
    await response.write(whole)
    if request.transport is not None:
        request.transport.close()
    return response


async def _nan(_request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    whole = msgspec.json.encode({**document, "percentage": "@"})
    return _raw(whole.replace(b'"@"', how.get("literal", "NaN").encode()))


async def _out_of_range(_request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    return json_response(
        {**document, "percentage": how.get("percentage", 250.0), "bytes_transferred": how.get("bytes", -1)}
    )


async def _wrong_id(_request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return json_response({**document, "job_id": "migration-vol-of-another-job"})


async def _huge(request: web.Request, _document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(how.get("megabytes", 200)):
        await response.write(b" " * MEGABYTE)
    return response


async def _drip(request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in msgspec.json.encode(document) * 1000:
        await response.write(bytes([byte]))
        await asyncio.sleep(how.get("interval", 0.2))
    return response


async def _redirect(_request: web.Request, _document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    location = how.get("location", "http://169.254.169.254/latest/meta-data/")
    return web.Response(status=302, headers={"Location": location})


async def _empty(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return web.Response()


async def _gzip_bomb(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=_bomb(), content_type="application/json", headers={"Content-Encoding": "gzip"})


@cache
def _bomb() -> bytes:
    """Return 50 MB in gzip, of equal parts: as one it takes longer than a probe's time limit on a busy machine."""
    return gzip.compress(b" " * MEGABYTE) * 50


async def _unknown_fields(_request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return json_response({**document, "new_in_v3": {"deep": [1, {"er": None}]}, "x": None})


async def _missing_fields(_request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return json_response({"status": document.get("status", "in_progress")})


async def _slow(_request: web.Request, document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(how.get("seconds", 1.0))
    return json_response(document)


async def _list(_request: web.Request, document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return json_response([document])


async def _deep(_request: web.Request, _document: JSONObject, how: dict[str, Any]) -> web.StreamResponse:
    depth = how.get("depth", 100_000)
    return _raw(b'{"a":' * depth + b"1" + b"}" * depth)


async def _bad_utf8(_request: web.Request, _document: JSONObject, _how: dict[str, Any]) -> web.StreamResponse:
    return _raw(b'{"status":"in_progress","phase":"\xff\xfe"}')


FAULTS: dict[str, Fault] = {
    "hang": _hang,
    "reset": _reset,
    "status": _status,
    "tunnel": _status,
    "unauthorized": _unauthorized,
    "word": _word,
    "percentage": _percentage,
    "html": _html,
    "truncated": _truncated,
    "short_body": _short_body,
    "nan": _nan,
    "out_of_range": _out_of_range,
    "wrong_id": _wrong_id,
    "huge": _huge,
    "drip": _drip,
    "redirect": _redirect,
    "empty": _empty,
    "gzip_bomb": _gzip_bomb,
    "unknown_fields": _unknown_fields,
    "missing_fields": _missing_fields,
    "slow": _slow,
    "list": _list,
    "deep": _deep,
    "bad_utf8": _bad_utf8,
}
"""Every fault of single answers by its name. Those of the whole server are in `injection`."""
