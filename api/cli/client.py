"""A client of the HTTP API."""

import argparse
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote

import httpx

from adapters.identifiers import is_valid_id
from adapters.plain_text import redacted
from api.cli.answers import MAY_BE_DONE, TOKEN, Answer, document_of, error_of
from domain.errors import InvalidInput, JobRecoveryError

TIMEOUT = 5.0
"""Seconds to connect, and to wait for an answer or for more of it."""

COMMAND_TIMEOUT = 15.0
"""Seconds to wait for a command: the service itself gives up after 10 s, and answers what became of the command."""

COMPUTING_TIMEOUT = 60.0
"""Seconds without a byte of what is computed from many events: exports, what-ifs, comparisons."""

PAGE = 1000

BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What a header can have as a token (RFC 6750). An error of the HTTP library would show another one."""

EVENTS = "Job-Recovery-Events"
"""The header of an export with the number of its events. A connection that is cut may look like its end."""


NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    # A part of a host name that is too long is an error only when the name is resolved.
    UnicodeError,
)
"""Errors before a request is sent. After any other one, it may have been received."""


class ServiceUnreachable(JobRecoveryError):
    """The service does not answer."""


class IncompleteExport(JobRecoveryError):
    """The connection was cut before the whole export had arrived."""


class Client:
    """Calls a running service."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`url` is the service's address, with or without `/api/v1`."""
        base = url.rstrip("/").removesuffix("/api/v1")
        self._service = f"the service at {redacted(base)}"
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        problem = f"{redacted(url)[:200]!r} is not the address of a service"
        if not url.lower().startswith(("http://", "https://")):
            raise InvalidInput(f"{problem}: it must begin with http:// or https://")
        try:
            self._http = httpx.Client(base_url=f"{base}/api/v1", headers=headers, trust_env=False)
        except (httpx.InvalidURL, ValueError):
            raise InvalidInput(problem) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str, timeout: float = TIMEOUT, /, **query: object) -> Answer:
        """Return the answer to a GET."""
        return self._call("GET", path, timeout, query)

    def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """Return the answer to a POST."""
        return self._call("POST", path, COMMAND_TIMEOUT, {}, json.dumps(body))

    def items(self, path: str, limit: int | None = None, **query: object) -> Answer:
        """Return a list as one page of the API, with all its items or the first `limit`."""
        found: list[Any] = []
        cursor = None
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self.get(path, limit=size, cursor=cursor, **query)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or len(found) == limit:
                return Answer({**page, "items": found})

    def export(self, path: str, heading: int = 0, **query: object) -> Iterator[bytes]:
        """Iterate over an export of one event per line, after `heading` other lines.

        Raises:
            IncompleteExport: the export ended before its last event.

        """
        lines, expected = -heading, None
        try:
            with self._request("GET", path, COMPUTING_TIMEOUT, query) as response:
                expected = response.headers.get(EVENTS, "an unknown number of")
                for part in response.iter_bytes():
                    lines += part.count(b"\n")
                    yield part
        except ServiceUnreachable:
            if expected is None:
                raise
        if str(lines) != expected:
            raise IncompleteExport(f"the export is incomplete: {max(lines, 0)} of {expected} events arrived")

    def _call(self, *request: Any) -> Answer:  # noqa: ANN401 - the arguments of `_request`
        with self._request(*request) as response:
            response.read()
        return document_of(response, self._service)

    @contextmanager
    def _request(
        self, method: str, path: str, timeout: float, query: Mapping[str, object], content: str | None = None
    ) -> Iterator[httpx.Response]:
        """Yield the answer to a request, whose body is not yet read; translate all errors."""
        params = {name: _texts(value) for name, value in query.items() if value is not None}
        limits = httpx.Timeout(timeout, connect=TIMEOUT)
        try:
            with self._http.stream(method, path, params=params, content=content, timeout=limits) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response, self._service)
                yield response
        except (httpx.HTTPError, UnicodeError) as error:
            raise ServiceUnreachable(f"{self._service} does not answer {_why(error, method, timeout)}") from None


def _why(error: Exception, method: str, timeout: float) -> str:
    """Return why there is no answer, and what to do."""
    why = f"({error})"
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        why = f"within {timeout:g} s: read its log, and GET /readyz"
    elif method != "POST" or isinstance(error, NOT_SENT):
        return f"{why}: is `job-recovery serve` running?"
    return f"{why}; {MAY_BE_DONE}" if method == "POST" else why


def connect(arguments: argparse.Namespace) -> Client:
    """Return a client of the service that the arguments or the settings name."""
    token = os.environ.get(TOKEN)
    if token and not BEARER.fullmatch(token):
        raise InvalidInput(
            f"{TOKEN}: not a valid token: it must have no blanks, quotes or line breaks, also at its ends "
            "(its value is not shown)"
        )
    if arguments.url:
        return Client(arguments.url, token)
    from api.runtime.settings import CallerSettings, load_settings  # noqa: PLC0415 - half of the start

    settings = load_settings(CallerSettings)
    return Client(settings.address(), token)


def _texts(value: object) -> list[str]:
    """Return the values of a parameter, which may be repeated."""
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def in_path(identifier: str, of: str = "job") -> str:
    """Return an id, percent-encoded for a path.

    Raises:
        InvalidInput: it is not a valid id.

    """
    if not is_valid_id(identifier):
        raise InvalidInput(f"{identifier[:80]!r} is not a valid id of a {of}")
    return quote(identifier, safe="")
