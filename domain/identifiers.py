"""What an id may look like, before it comes near a URL, a log line or a file name."""

import re

MAX_LENGTH = 200
PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$"
_VALID = re.compile(PATTERN + r"(?<!\n)", re.ASCII)


def is_valid_id(text: str) -> bool:
    """Whether this can be the id of a job, a volume, a VM context or a run."""
    return _VALID.fullmatch(text) is not None
