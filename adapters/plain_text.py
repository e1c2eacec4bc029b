"""What may be kept and shown of a text that somebody else wrote: no secret, and nothing that a terminal obeys."""

import re

TOKEN_PREFIX = "jr_"  # noqa: S105 - the mark by which a token is known, not one
MASK = "***"

_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{20,}")
_USER_INFO = re.compile(r'(?<![^\s"])((?>[^\s"]*?//))[^\s"]*@')
"""Up to the last `@` of a word: rather a path too much than half of a password.

Each word is read once: it is tried only at its beginning (the lookbehind), and only its first `//` is (the atomic
group). Otherwise a text of nothing but slashes would take time by the square of its length.
"""


def redacted(text: str) -> str:
    """Take out what is known to be secret by its form: our tokens, and user and password of an address."""
    without_tokens = _TOKEN.sub(TOKEN_PREFIX + MASK, text)
    # Most texts have no address in them, and this is far cheaper than the pattern.
    return _USER_INFO.sub(rf"\g<1>{MASK}@", without_tokens) if "//" in text else without_tokens


def holds_token(text: str) -> bool:
    """Whether one of our tokens, or what looks like one, stands in a text."""
    return _TOKEN.search(text) is not None


def visible(text: str) -> str:
    """Write out each character that cannot be seen, or that would move a cursor, colour or turn the text round."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
