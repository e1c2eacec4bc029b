"""What may be kept and shown of a text that somebody else wrote: no secret, and nothing that a terminal obeys."""

import re

TOKEN_PREFIX = "jr_"  # noqa: S105 - the mark by which a token is known, not one
MASK = "***"

_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{20,}")
_USER_INFO = re.compile(r'//[^\s"]{0,300}@')
"""Up to the last `@`: rather a path too much than half of a password. Bounded, so that no text takes long."""


def redacted(text: str) -> str:
    """Take out what is known to be secret by its form: our tokens, and user and password of an address."""
    return _USER_INFO.sub(f"//{MASK}@", _TOKEN.sub(TOKEN_PREFIX + MASK, text))


def holds_token(text: str) -> bool:
    """Whether one of our tokens, or what looks like one, stands in a text."""
    return _TOKEN.search(text) is not None


def visible(text: str) -> str:
    """Write out each character that cannot be seen, or that would move a cursor, colour or turn the text round."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
