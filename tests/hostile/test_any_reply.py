"""A hostile VMA: every reply is parsed as one status, and garbage is never conclusive."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vma.dialects import read_reply
from domain.vma_status import Answer, VMAStatus
from tests.hostile.replies import ASKED, BODIES, STATUSES, check

MANY = 1500 if settings.get_current_profile_name() == "long" else 500

CORPUS = [
    b'{"status":"running","disks":[{"status":[]}]}',
    b'{"status":"completed","percentage":1' + b"0" * 400 + b"}",
    b'{"status":"completed","percentage":1' + b"0" * 5000 + b"}",
    b'{"status":"completed","bytes_transferred":1e300}',
    b'{"status":"completed","total_bytes":18446744073709551616}',
    b'{"status":"completed","percentage":NaN}',
    b'{"status":"completed","percentage":1e999}',
    b'{"job_id":["' + ASKED.encode() + b'"],"status":"completed"}',
    b'{"job_id":0,"status":"completed"}',
    b'{"status":"\\ud800"}',
    b'{"status":"completed","x":' + b"[" * 100_000,
    b'\xff\xfe{"status":"completed"}',
    b'{"status":"completed"}{"status":"failed"}',
    b'{"status":["completed"]}',
]
"""Earlier findings, and similar replies."""


@pytest.mark.parametrize("body", CORPUS, ids=range(len(CORPUS)))
def test_earlier_findings_are_not_conclusive(body: bytes) -> None:
    answer = read_reply(ASKED, 200, body, 1.0)

    check(answer, 200, body)
    assert answer.status in {VMAStatus.UNINTELLIGIBLE, VMAStatus.RUNNING}


@settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(http_status=STATUSES, body=BODIES)
def test_any_reply_is_one_status_and_garbage_is_never_conclusive(http_status: int, body: bytes) -> None:
    answer = read_reply(ASKED, http_status, body, 1.0)

    check(answer, http_status, body)
    # An answer that cannot be stored and read back would stop the log.
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer


@settings(max_examples=300, deadline=None)
@given(depth=st.integers(1, 20_000), opening=st.sampled_from([b"[", b'{"a":']))
def test_deep_nesting_raises_nothing(depth: int, opening: bytes) -> None:
    body = b'{"status":"completed","x":' + opening * depth

    check(read_reply(ASKED, 200, body, 1.0), 200, body)
