"""The command line's side of the HTTP API."""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote

import httpx

from adapters.identifiers import is_valid_id
from adapters.plain_text import redacted
from domain.errors import InvalidInput, JobRecoveryError, NotFound

TOKEN = "JOB_RECOVERY_TOKEN"  # noqa: S105 - the variable's name
"""The variable that holds the caller's token: an argument would be seen in the list of processes."""

TIMEOUT = 5.0
"""Seconds to connect, and to wait for an answer or for more of it."""

COMMAND_TIMEOUT = 15.0
"""Seconds to wait for a command: the service itself gives up after 10 s, and answers what became of the command."""

COMPUTING_TIMEOUT = 60.0
"""Seconds without a byte of what is computed from many events: exports, what-ifs, comparisons."""

PAGE = 1000


class ServiceUnreachable(JobRecoveryError):
    """The service does not answer."""


class Client:
    """Calls a running service."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`url` is the service's address, with or without `/api/v1`."""
        self._url = url.rstrip("/").removesuffix("/api/v1")
        headers = {"Authorization": f"Bearer {token}"} if token else None
        if not url.lower().startswith(("http://", "https://")):
            raise InvalidInput(
                f"{redacted(url)[:200]!r} is not the address of a service: it must begin with http:// or https://"
            )
        try:
            self._http = httpx.Client(base_url=f"{self._url}/api/v1", headers=headers, trust_env=False, timeout=TIMEOUT)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise InvalidInput(
                f"{redacted(url)[:200]!r} is not a valid address, or {TOKEN} not a valid token"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a GET answers."""
        return self._call("GET", path, TIMEOUT, params=_present(query))

    def computed(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a GET answers that is computed from many events."""
        return self._call("GET", path, COMPUTING_TIMEOUT, params=_present(query))

    def post(self, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Return what a POST answers."""
        headers = {"Content-Type": "application/json"}
        return self._call("POST", path, COMMAND_TIMEOUT, content=json.dumps(body), headers=headers)

    def items(self, path: str, limit: int | None = None, **query: object) -> dict[str, Any]:
        """Return a list as if it were one page of the API, with all its items or so many."""
        found: list[Any] = []
        cursor = None
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self.get(path, limit=size, cursor=cursor, **query)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or len(found) == limit:
                return {"items": found, "next_cursor": cursor}

    def stream(self, path: str, **query: object) -> Iterator[bytes]:
        """Iterate over the body of an answer of any size."""
        timeout = _timeout(COMPUTING_TIMEOUT)
        with (
            self._errors_translated(COMPUTING_TIMEOUT),
            self._http.stream("GET", path, params=_present(query), timeout=timeout) as response,
        ):
            if not response.is_success:
                response.read()
                raise _error(response)
            yield from response.iter_bytes()

    def _call(self, method: str, path: str, timeout: float, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        with self._errors_translated(timeout):
            response = self._http.request(method, path, timeout=_timeout(timeout), **arguments)
        if not response.is_success:
            raise _error(response)
        try:
            return response.json()
        except (ValueError, RecursionError):
            message = f"{redacted(self._url)} answered with something else than JSON: is this the service's address?"
            raise JobRecoveryError(message) from None

    @contextmanager
    def _errors_translated(self, timeout: float) -> Iterator[None]:
        service = f"the service at {redacted(self._url)}"
        try:
            yield
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            message = f"{service} does not answer within {timeout:g} s: look at its log, and at GET /readyz"
            raise ServiceUnreachable(message) from None
        except (httpx.HTTPError, UnicodeError) as error:
            # A host's name with a part that is too long is found out only when it is looked up.
            message = f"{service} does not answer ({error}): is `job-recovery serve` running?"
            raise ServiceUnreachable(message) from None


def connect(arguments: argparse.Namespace) -> Client:
    """Return a client of the service that the arguments or the settings name."""
    token = os.environ.get(TOKEN)
    if token and not (token.isascii() and token.isprintable()):
        raise InvalidInput(f"{TOKEN}: not a valid token (its value is not shown)")
    if arguments.url:
        return Client(arguments.url, token)
    from api.runtime.settings import CallerSettings, load_settings  # noqa: PLC0415 - half of the start

    settings = load_settings(CallerSettings)
    return Client(f"http://{settings.host}:{settings.port}", token)


def in_path(identifier: str, of: str = "job") -> str:
    """Return an id as it is written in an address: percent-encoded.

    Raises:
        InvalidInput: it cannot be an id.

    """
    if not is_valid_id(identifier):
        raise InvalidInput(f"{identifier[:80]!r} cannot be the id of a {of}")
    return quote(identifier, safe="")


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=TIMEOUT)


def _present(query: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _error(response: httpx.Response) -> JobRecoveryError:
    detail = _detail(response)
    match response.status_code:
        case httpx.codes.NOT_FOUND:
            return NotFound(detail)
        case httpx.codes.UNPROCESSABLE_ENTITY:
            return InvalidInput(detail)
        case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
            return JobRecoveryError(f"{detail}; job-recovery reads its token from {TOKEN}")
        case _:
            return JobRecoveryError(detail)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered HTTP {response.status_code}"
