"""What a broken invariant raises."""


class Violation(AssertionError):
    """An invariant does not hold."""


def insist(holds: object, wrong: str) -> None:
    if not holds:
        raise Violation(wrong)
