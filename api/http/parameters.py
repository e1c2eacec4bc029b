"""The query parameters of a request, compared with those that its route declares, and the encoding of its address.

An unknown parameter is refused: if it were ignored, a misspelled filter would list everything.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, get_origin
from urllib.parse import unquote_plus, unquote_to_bytes

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.routing import compile_path

from api.http.problems import MAX_ERRORS

SYNONYMS = {
    "job": "job_id",
    "vm_context": "vm_context_id",
    "context": "vm_context_id",
    "run": "run_id",
    "correlation": "correlation_id",
    "cause": "causation_id",
    "stream": "stream_id",
    "status": "state",
    "since": "from",
    "until": "to",
}
"""Other words for parameters, such as those of the command line."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What the framework puts in place of bytes that are not UTF-8."""

MAX_NAME = 50
"""Characters of an unknown name that are compared with the known ones."""


class CheckedRoute(APIRoute):
    """A route that checks the address of each request, before it reads anything else of it.

    As a dependency of the routes, the check would cost each request several times as much.

    Its endpoint is analysed at its first request, or for the OpenAPI document: to analyse all of them would be a tenth
    of the CPU of a start, and most are never asked for.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: Collection[str], **more: Any) -> None:  # noqa: ANN401 - the library's options
        """Take what the library's route takes, and set only what a request is matched by."""
        self.path, self.endpoint, self.methods = path, endpoint, set(methods)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._analyse = partial(super().__init__, path, endpoint, methods=list(methods), **more)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the library's route
        """Analyse the endpoint, which sets all other attributes."""
        analyse = self.__dict__.pop("_analyse", None)
        if analyse is None:
            raise AttributeError(name)
        analyse()
        return getattr(self, name)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the check in front of it."""
        handle, declared = super().get_route_handler(), dict(declared_query(self.dependant))

        async def checked(request: Request) -> Response:
            check_encoding(request)
            check_query(request.query_params, declared)
            return await handle(request)

        return checked


def check_encoding(request: Request) -> None:
    """Check that the address is UTF-8. The framework replaces other bytes, and would answer about another address.

    Raises:
        RequestValidationError: a parameter of the path or of the query is not.

    """
    query: bytes = request.scope["query_string"]
    wrong: list[tuple[str, str]] = []
    # A name in a path may have the character itself.
    if REPLACEMENT in request.scope["path"] and not _is_utf8(request.scope["raw_path"]):
        wrong += (("path", name) for name, value in request.path_params.items() if REPLACEMENT in value)
    if not _is_utf8(query):
        pairs = [pair for pair in query.split(b"&") if not _is_utf8(pair)]
        names = dict.fromkeys(unquote_plus(pair.partition(b"=")[0].decode("latin-1")) for pair in pairs)
        wrong += (("query", name) for name in names)
    if wrong:
        raise RequestValidationError([{"loc": where, "msg": "the value is not UTF-8"} for where in wrong])


def _is_utf8(quoted: bytes) -> bool:
    """Return whether a part of an address is UTF-8 without its percent encoding."""
    try:
        unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        return False
    return True


def check_query(query: QueryParams, declared: Mapping[str, Any]) -> None:
    """Check that every query parameter is among those declared, by name and type, and that only a list is repeated.

    Raises:
        RequestValidationError: one is not; the message has the nearest name that is declared.

    """
    wrong: list[dict[str, Any]] = []
    for name, times in Counter(name for name, _ in query.multi_items()).items():
        if name not in declared:
            # Comparing names takes time, and a query can have thousands.
            hint = _hint(name[:MAX_NAME], declared) if len(wrong) < MAX_ERRORS else ""
            wrong.append({"loc": ("query", name), "msg": f"unknown parameter{hint}"})
        elif times > 1 and get_origin(declared[name]) is not tuple:
            wrong.append({"loc": ("query", name), "msg": f"given {times} times, but it has one value: give it once"})
    if wrong:
        raise RequestValidationError(wrong)


def declared_query(dependant: Dependant) -> Iterator[tuple[str, Any]]:
    """Yield the name and the type of each query parameter of a route, also of those in a model."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from ((part.alias or name, part.annotation) for name, part in kind.model_fields.items())
        else:
            yield field.alias, kind
    for part in dependant.dependencies:
        yield from declared_query(part)


def _hint(name: str, declared: Collection[str]) -> str:
    if SYNONYMS.get(name) in declared:
        return f": did you mean '{SYNONYMS[name]}'?"
    if near := get_close_matches(name.lower(), declared):
        return f": did you mean '{near[0]}'?"
    return f": there are {', '.join(sorted(declared))}" if declared else ": this address has none"
