r"""The syntax of ids and names, checked before they are used in a URL, a log line or a file name.

The OMA makes ids from the names of VMs, so blanks, letters of any script and punctuation are allowed. Not allowed are
invisible characters, those that change the direction of text, and `/`, which separates the segments of a URL's path
even if it is escaped. (vSphere itself writes a `/` in a name as `%2f`.)
"""

import re

MAX_LENGTH = 200

_FORBIDDEN = (
    r"/\x00-\x1f\x7f-\x9f\u2028\u2029"  # control characters and line separators
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"  # format characters, also those of the next lines
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\u115f\u1160\u2800\u3164\uffa0"  # blank letters
    r"\ue000-\uf8ff"  # private use
)
_TAGS_AND_PRIVATE_USE = "\U00040000-\U0010ffff"

PATTERN = rf"^(?!\.{{1,2}}$|\s|.*\s$|.*[{_TAGS_AND_PRIVATE_USE}])[^{_FORBIDDEN}]+$"
"""Independent of Python's Unicode tables, so that every version of Python accepts the same ids."""

_VALID = re.compile(PATTERN)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a character. It can come from the command line only: JSON cannot contain it."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}", re.ASCII)


def is_valid_id(text: str) -> bool:
    """Return whether a text can be the id of a job, a volume, a VM context or a run."""
    return len(text) <= MAX_LENGTH and _VALID.fullmatch(text) is not None and _SURROGATE.search(text) is None


def is_plain_name(text: str) -> bool:
    """Return whether a text can be the name of a VMA or of a token, which operators choose."""
    return _PLAIN_NAME.fullmatch(text) is not None
