"""The errors of the HTTP surface, beside the domain's.

JobRecoveryError
├── Unauthenticated       no token, or none of ours
├── Forbidden             the token's scope, or where the call comes from, does not allow it
├── UnsupportedMediaType  a call that may change something is not JSON
└── TooManyRequests       the caller has used its share
"""

from domain.errors import JobRecoveryError


class Unauthenticated(JobRecoveryError):
    """No token, or none of ours."""


class Forbidden(JobRecoveryError):
    """The token's scope, or where the call comes from, does not allow this."""


class UnsupportedMediaType(JobRecoveryError):
    """A call that may change something is not JSON."""


class TooManyRequests(JobRecoveryError):
    """The caller has used its share; `retry_after` in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
