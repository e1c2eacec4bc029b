"""What the service answers: a document, or an error. Something else may answer in its place."""

from typing import Any

import httpx

from adapters.plain_text import redacted
from domain.errors import InvalidInput, JobRecoveryError, NotFound

TOKEN = "JOB_RECOVERY_TOKEN"  # noqa: S105 - the variable's name
"""The variable with the caller's token: an argument would be visible in the list of processes."""

ERRORS: dict[int, type[JobRecoveryError]] = {
    httpx.codes.NOT_FOUND: NotFound,
    httpx.codes.UNPROCESSABLE_ENTITY: InvalidInput,
}
REFUSED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
PROBLEM = {"title", "status", "detail"}
"""Fields of every error of the service (RFC 9457)."""

MAY_BE_DONE = "what was asked for may be done all the same: look at the job"


class Answer(dict[str, Any]):
    """A JSON object of an answer. Another version of the service, or another service, may lack a field."""

    def __missing__(self, name: str) -> None:
        raise JobRecoveryError(f"the answer has no {name!r}: is this the service's address, and is it of this version?")


def document_of(response: httpx.Response, service: str) -> Answer:
    """Return the document of an answer.

    Raises:
        JobRecoveryError: it has none.

    """
    try:
        found = response.json(object_hook=Answer)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, Answer):
        raise JobRecoveryError(f"{service} answered with something else than a JSON object: is this its address?")
    return found


def error_of(response: httpx.Response, service: str) -> JobRecoveryError:
    """Return the error of an answer. Only the service's own errors say what became of the request."""
    problem = _problem_of(response)
    kind = JobRecoveryError if problem is None else ERRORS.get(response.status_code, JobRecoveryError)
    detail = _of_something_else(response, service) if problem is None else str(problem["detail"])
    if response.status_code in REFUSED:
        detail += f"; job-recovery reads its token from {TOKEN}"
    return kind(detail)


def _problem_of(response: httpx.Response) -> dict[str, Any] | None:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.keys() >= PROBLEM else None


def _of_something_else(response: httpx.Response, service: str) -> str:
    if response.has_redirect_location:
        where = redacted(response.headers["Location"])[:200]
        return f"{service} answered HTTP {response.status_code}, which leads to {where}: give the service's own address"
    detail = f"{service} (or a proxy before it) answered HTTP {response.status_code}"
    return f"{detail}; {MAY_BE_DONE}" if response.request.method == "POST" else detail
