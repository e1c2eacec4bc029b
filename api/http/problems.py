"""Errors as RFC 9457 problem details, and the map from error classes to HTTP status codes."""

import math
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from adapters.plain_text import redacted
from api.http.schemas.present import Problem
from api.runtime.errors import Forbidden, MalformedCondition, TooManyRequests, Unauthenticated, UnsupportedMediaType
from domain.errors import (
    ConcurrentWrite,
    InvalidInput,
    JobRecoveryError,
    NotFound,
    Refused,
    StorageUnavailable,
    VersionMismatch,
)

STATUS_OF: dict[type[JobRecoveryError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    MalformedCondition: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    Refused: HTTPStatus.CONFLICT,
    ConcurrentWrite: HTTPStatus.CONFLICT,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    JobRecoveryError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The first class in an error's method resolution order decides."""

MEDIA_TYPE = "application/problem+json"

MAX_DETAIL = 4000
"""Maximum characters of `detail` and of `instance`; the longest id has 200."""

MAX_ERRORS, MAX_ERROR = 10, 1000
"""Maximum validation errors that a problem lists, and characters of each. A body can have thousands."""

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")

ANYWHERE = (400, 401, 403, 408, 413, 415, 422, 429, 503)
"""Statuses of problems that any request to a path of `guard.GUARDED` can get."""


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems of an endpoint that may require a token, for the OpenAPI document."""
    return described(*statuses, *ANYWHERE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems with these statuses, for the OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: schema},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Register the handlers that turn every error into problem details."""
    app.exception_handler(JobRecoveryError)(of)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(Exception)(_fault)


def problem(request: Request, status: int, detail: str, **extra: object) -> JSONResponse:
    """Return a response with problem details."""
    # Redact before cutting: part of a secret is not recognised.
    what, path = redacted(detail)[:MAX_DETAIL], redacted(request.scope["path"])[:MAX_DETAIL]
    where = quote(path, safe="/*@:+,;=$&'()!~")
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=what, instance=where)
    return JSONResponse({**body.model_dump(), **extra}, status, media_type=MEDIA_TYPE)


async def of(request: Request, error: JobRecoveryError) -> JSONResponse:
    """Return the response to one of the service's own errors."""
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    response = problem(request, status, str(error))
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


async def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    errors = _without_consequences(error.errors())
    shown = [_shown(one) for one in errors[:MAX_ERRORS]]
    detail = "; ".join(f"{one['where']}: {one['problem']}" for one in shown)
    if len(errors) > len(shown):
        detail = f"{len(errors)} errors, of which the first {len(shown)} are: {detail}"
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=shown)


def _without_consequences(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the errors without lists that are too short only because one of their items is refused."""
    outer = {tuple(one["loc"][:length]) for one in errors for length in range(len(one["loc"]))}
    return [one for one in errors if one.get("type") != "too_short" or tuple(one["loc"]) not in outer]


def _shown(error: Mapping[str, Any]) -> dict[str, str]:
    """Return where one validation error is, and what it is."""
    where, what = error["loc"], error["msg"].removeprefix("Value error, ")
    if error.get("type") == "json_invalid":
        # The library has the offset in place of a field's name, and the reason apart.
        *where, offset = where
        what = f"the body is no JSON: {error['ctx']['error'].removesuffix(' at')} at character {offset}"
    return {"where": _brief(".".join(map(str, where))), "problem": _brief(what)}


def _brief(text: str) -> str:
    return redacted(text)[:MAX_ERROR]


async def _fault(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an unexpected exception; the framework then raises it again, and it is logged."""
    detail = f"internal error ({type(error).__name__}); nothing was acknowledged. The service's log has the details"
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    detail = _unreadable(error.__cause__) or str(error.detail)
    response = problem(request, error.status_code, detail)
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_methods(request))
    return response


def _unreadable(cause: BaseException | None) -> str | None:
    """Return why a body could not be parsed, if that is known; the framework does not say it."""
    match cause:
        case UnicodeDecodeError():
            return f"the body is not UTF-8: {cause.reason} at byte {cause.start}"
        case RecursionError():
            return "the body is nested too deep"
        case ValueError() if "integer string conversion" in str(cause):
            return f"the body has an integer of more than {sys.get_int_max_str_digits()} digits"
    return None


def _methods(request: Request) -> list[str]:
    """Return all methods of a path; the framework names only those of the first matching route."""
    routes: list[BaseRoute] = request.app.routes
    asked = [(method, {**request.scope, "method": method}) for method in METHODS]
    return [method for method, scope in asked if any(route.matches(scope)[0] is Match.FULL for route in routes)]
