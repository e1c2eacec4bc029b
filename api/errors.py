"""The errors of the HTTP surface, beside the domain's.

JobRecoveryError
├── Unauthenticated   no token, or none of ours
├── Forbidden         the token's scope does not allow it
└── TooManyRequests   the token has used its share
"""

from domain.errors import JobRecoveryError


class Unauthenticated(JobRecoveryError):
    """No token, or none of ours."""


class Forbidden(JobRecoveryError):
    """The token's scope does not allow this."""


class TooManyRequests(JobRecoveryError):
    """The token has used its share; `retry_after` in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
