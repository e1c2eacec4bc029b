"""The result of one HTTP request to a VMA."""

import httpx
import msgspec

from adapters.vma.dialects import TOO_MANY, TUNNEL_ERRORS
from domain.vma_status import Answer, VMAStatus

NOT_THE_VMA = TUNNEL_ERRORS | {int(httpx.codes.PROXY_AUTHENTICATION_REQUIRED)}
"""HTTP statuses of a tunnel or proxy before the VMA."""


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request.

    Its status is `unreachable` if the request failed; the channel decides whether the VMA as a whole is unreachable.
    `retry_after` is the pause in seconds that an HTTP 429 asks for.
    """

    answer: Answer
    retry_after: float | None = None

    @property
    def is_sign_of_life(self) -> bool:
        """Return whether the VMA's own HTTP server answered, whatever the answer."""
        return self.answer.http_status is not None and self.answer.http_status not in NOT_THE_VMA

    @property
    def refused(self) -> str | None:
        """Return why the VMA did not accept the login; None if it did."""
        return self.answer.detail if self.answer.status is VMAStatus.NOT_ASKED else None

    @property
    def is_too_many(self) -> bool:
        """Return whether the VMA asks for fewer requests."""
        return self.answer.http_status == TOO_MANY


def failed(asked_id: str, latency_ms: float, detail: str) -> Answer:
    """Return the answer to a request that failed."""
    return Answer(asked_id=asked_id, status=VMAStatus.UNREACHABLE, latency_ms=latency_ms, detail=detail)


def not_asked(asked_id: str, detail: str) -> Answer:
    """Return the answer to a request that could not be sent."""
    return Answer(asked_id=asked_id, status=VMAStatus.NOT_ASKED, detail=detail)
