"""The error of a violated invariant."""


class Violation(AssertionError):
    """An invariant is violated."""


def require(condition: object, violation: str) -> None:
    if not condition:
        raise Violation(violation)
