"""The errors of the HTTP API, in addition to the domain's.

JobRecoveryError
├── Unauthenticated       no token, or an unknown one
├── Forbidden             the token's scope or the request's origin does not allow it
├── UnsupportedMediaType  the body of a POST is not JSON
└── TooManyRequests       the caller has exceeded its rate or its slots
"""

from domain.errors import JobRecoveryError


class Unauthenticated(JobRecoveryError):
    """The request has no token, or an unknown one."""


class Forbidden(JobRecoveryError):
    """The token's scope or the request's origin does not allow this."""


class UnsupportedMediaType(JobRecoveryError):
    """The body of a POST is not JSON."""


class TooManyRequests(JobRecoveryError):
    """The caller has exceeded its rate or its slots; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
