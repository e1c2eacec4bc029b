"""The errors of the HTTP API, in addition to the domain's.

JobRecoveryError
├── Unauthenticated       no token, or an unknown one
├── Forbidden             the token's scope or the request's origin does not allow it
├── UnsupportedMediaType  the body of a POST is not JSON
├── MalformedCondition    `If-Match` or `If-None-Match` has something else than entity tags
└── TooManyRequests       the caller has exceeded its rate or its slots
"""

from domain.errors import JobRecoveryError


class Unauthenticated(JobRecoveryError):
    """The request has no token, or an unknown one."""


class Forbidden(JobRecoveryError):
    """The token's scope or the request's origin does not allow this."""


class UnsupportedMediaType(JobRecoveryError):
    """The body of a POST is not JSON."""


class MalformedCondition(JobRecoveryError):
    """`If-Match` or `If-None-Match` has something else than entity tags."""

    def __init__(self, header: str, text: str) -> None:
        example = '"7.1a2b3c4d.0f1e2d3c4b5a6978"'
        super().__init__(
            f"{header}: {text[:80]!r} does not begin with an entity tag. Send the ETag of an earlier answer with its "
            f"quotes, such as {example}, several of them separated by commas, or *"
        )


class TooManyRequests(JobRecoveryError):
    """The caller has exceeded its rate or its slots; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
