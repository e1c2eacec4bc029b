r"""What an id may look like, before it comes near a URL, a log line or a file name.

The OMA makes ids from the names of VMs, so all that people write in a name is allowed: blanks, letters of any script,
punctuation. What is not: characters that nobody sees or that turn a text round, and `/`, which ends a part of a URL's
path even if it is escaped. (vSphere itself writes a `/` in a name as `%2f`.)
"""

import re

MAX_LENGTH = 200

_NEVER = (
    r"/\x00-\x1f\x7f-\x9f\u2028\u2029"  # controls and separators of lines
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"  # format characters, and more of them:
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\u115f\u1160\u2800\u3164\uffa0"  # letters that are blank
    r"\ue000-\uf8ff"  # private use
)
_HIGH = "\U00040000-\U0010ffff"  # nothing but tags and private use

PATTERN = rf"^(?!\.{{1,2}}$|\s|.*\s$|.*[{_HIGH}])[^{_NEVER}]+$"
"""Written out, not taken from Python's tables, so that one Python never refuses what another one has accepted."""

_VALID = re.compile(PATTERN)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half a character, which comes from the command line only: it cannot stand in a JSON text."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}", re.ASCII)


def is_valid_id(text: str) -> bool:
    """Whether this can be the id of a job, a volume, a VM context or a run."""
    return len(text) <= MAX_LENGTH and _VALID.fullmatch(text) is not None and _SURROGATE.search(text) is None


def is_plain_name(text: str) -> bool:
    """Whether this can be the name of a VMA or of a token, which operators make up for settings and log lines."""
    return _PLAIN_NAME.fullmatch(text) is not None
