"""Removes secrets and terminal control characters from text of other programs and people."""

import re

TOKEN_PREFIX = "jr_"  # noqa: S105 - the prefix of every token, not a token
MASK = "***"

_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{20,}")
_USER_INFO = re.compile(r'(?<![^\s"])((?>[^\s"]*?//))[^\s"]*@')
"""Up to the last `@` before white space: part of a path may be masked, but never is half of a password shown.

The lookbehind and the atomic group allow one attempt per address. Without them, the time for a text of slashes would
grow with the square of its length.
"""


def redacted(text: str) -> str:
    """Return the text without secrets: our tokens, and the user and password of an address."""
    without_tokens = _TOKEN.sub(TOKEN_PREFIX + MASK, text)
    # Much cheaper than the pattern, and most texts have no address.
    return _USER_INFO.sub(rf"\g<1>{MASK}@", without_tokens) if "//" in text else without_tokens


def contains_token(text: str) -> bool:
    """Return whether a text contains one of our tokens, or what has its form."""
    return _TOKEN.search(text) is not None


def visible(text: str) -> str:
    """Return the text with invisible characters, and those that control a terminal, as escape sequences."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
