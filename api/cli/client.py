"""The command line's side of the HTTP API."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from adapters.plain_text import redacted
from domain.errors import InvalidInput, JobRecoveryError, NotFound

TIMEOUT = 30.0
PAGE = 1000


class ServiceUnreachable(JobRecoveryError):
    """The service does not answer."""


class Client:
    """Calls a running service."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`url` is the service's address, without `/api/v1`."""
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else None
        try:
            self._http = httpx.Client(base_url=f"{self._url}/api/v1", headers=headers, trust_env=False, timeout=TIMEOUT)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise InvalidInput(f"{redacted(url)[:200]!r} is no address, or the token is none") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a GET answers."""
        return self._call("GET", path, params=_named(query))

    def post(self, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Return what a POST answers."""
        return self._call("POST", path, json=body)

    def pages(self, path: str, limit: int = PAGE, **query: object) -> Iterator[Any]:
        """Go through all items of a list, so many to a page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=limit, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def some(self, path: str, most: int, **query: object) -> list[Any]:
        """Return the first items of a list."""
        return list(itertools.islice(self.pages(path, min(most, PAGE), **query), most))

    def stream(self, path: str, **query: object) -> Iterator[bytes]:
        """Go through the body of an answer of any size."""
        with self._reached(), self._http.stream("GET", path, params=_named(query)) as response:
            if not response.is_success:
                response.read()
                raise _error(response)
            yield from response.iter_bytes()

    def _call(self, method: str, path: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        with self._reached():
            response = self._http.request(method, path, **arguments)
        if not response.is_success:
            raise _error(response)
        try:
            return response.json()
        except (ValueError, RecursionError):
            message = f"{redacted(self._url)} answered with something else than JSON: is this the service's address?"
            raise JobRecoveryError(message) from None

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, UnicodeError) as error:
            # A host's name with a part that is too long is found out only when it is looked up.
            message = (
                f"the service at {redacted(self._url)} does not answer ({error}): is `job-recovery serve` running?"
            )
            raise ServiceUnreachable(message) from None


def _named(query: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _error(response: httpx.Response) -> JobRecoveryError:
    detail = _detail(response)
    match response.status_code:
        case httpx.codes.NOT_FOUND:
            return NotFound(detail)
        case httpx.codes.UNPROCESSABLE_ENTITY:
            return InvalidInput(detail)
        case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
            return JobRecoveryError(f"{detail}; job-recovery takes its token from JOB_RECOVERY_TOKEN")
        case _:
            return JobRecoveryError(detail)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the service answered {response.status_code}"
