"""The causes of an error: httpx and aiohttp wrap what the system said, more than once."""


def causes_of(error: BaseException) -> list[BaseException]:
    """Return an error and its causes, the first cause first: it has the most detail."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.insert(0, cause)
        cause = cause.__cause__ or cause.__context__
    return causes
