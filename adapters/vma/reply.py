"""What comes back from one HTTP request to a VMA."""

import httpx
import msgspec

from adapters.vma.dialects import TOO_MANY, TUNNEL_ERRORS
from domain.vma_status import Answer, VMAStatus

NOT_THE_VMA = TUNNEL_ERRORS | {int(httpx.codes.PROXY_AUTHENTICATION_REQUIRED)}
"""HTTP statuses of a tunnel or proxy before the VMA."""


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request.

    Its status is `unreachable` if the request failed on its way; whether the VMA as a whole is, is judged later.
    `retry_after` is in seconds, if the reply was an HTTP 429 that said so.
    """

    answer: Answer
    retry_after: float | None = None

    @property
    def is_sign_of_life(self) -> bool:
        """Whether the VMA's own HTTP server answered, whatever it said."""
        return self.answer.http_status is not None and self.answer.http_status not in NOT_THE_VMA

    @property
    def is_too_many(self) -> bool:
        """Whether the VMA asks to be left alone."""
        return self.answer.http_status == TOO_MANY


def failed(asked_id: str, latency_ms: float, detail: str) -> Answer:
    """Return the answer to a question that failed on its way."""
    return Answer(asked_id=asked_id, status=VMAStatus.UNREACHABLE, latency_ms=latency_ms, detail=detail)


def not_asked(asked_id: str, detail: str) -> Answer:
    """Return the answer to a question that could not be put."""
    return Answer(asked_id=asked_id, status=VMAStatus.NOT_ASKED, detail=detail)
