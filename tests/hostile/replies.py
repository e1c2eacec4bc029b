"""Replies that a VMA may send, and the oracle of the fuzzers for how they may be parsed."""

import json
from typing import Any

from hypothesis import strategies as st

from domain.vma_status import CONCLUSIVE, Answer, VMAStatus

ASKED = "migration-vol-disk-1"

WORDS = [
    "completed",
    "COMPLETED",
    "Succeeded",
    "running",
    "in_progress",
    "failed",
    "error",
    "",
    "completed!",
    "gone",
    "0",
]
KEYS = [
    "job_id",
    "status",
    "phase",
    "stage",
    "percentage",
    "progress_percent",
    "percent",
    "bytes_transferred",
    "total_bytes",
    "aggregate",
    "disks",
    "disk_progresses",
    "errors",
    "last_error",
    "error",
    "disk_id",
    "id",
    "message",
    "error_type",
]
NUMBERS = st.one_of(
    st.integers(-(10**400), 10**400),
    st.integers(-1, 101),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([1e300, -0.0, 100.0000001, 2**63, 10**400]),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.sampled_from([*WORDS, ASKED, "another-job"]), st.text(max_size=20)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=10).map(lambda fields: json.dumps(fields).encode())
NEARLY = st.tuples(DOCUMENTS, st.integers(0, 400), st.binary(max_size=4)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + len(parts[2]) :]
)
BODIES = st.one_of(st.binary(max_size=300), DOCUMENTS, NEARLY, st.text(max_size=100).map(str.encode))
STATUSES = st.one_of(st.sampled_from([200, 200, 200, 404, 500, 502, 503, 504, 302, 204, 101]), st.integers(100, 999))


def is_garbage(http_status: int, body: bytes) -> bool:
    """Return whether a reply must not be conclusive."""
    if http_status != 200:
        return True
    try:
        fields = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return True
    if not isinstance(fields, dict) or not (fields.keys() & {"status", "phase", "stage"}):
        return True
    return fields.get("job_id") not in {None, ASKED} if _is_plain(fields.get("job_id")) else True


def check(answer: Answer, http_status: int, body: bytes) -> None:
    """Check that an answer has one status, and that garbage is not conclusive.

    Raises:
        AssertionError: it is not.

    """
    assert isinstance(answer.status, VMAStatus)
    assert answer.asked_id == ASKED
    if is_garbage(http_status, body):
        assert answer.status not in CONCLUSIVE, (answer, http_status, body)
    percent = answer.document.progress_percent if answer.document else None
    assert percent is None or 0.0 <= percent <= 100.0


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str)
