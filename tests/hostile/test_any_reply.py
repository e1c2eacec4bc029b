"""The VMA as enemy: whatever it sends is read as one status, and garbage never as a word about the job."""

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
"""What once was found, or nearly."""


@pytest.mark.parametrize("body", CORPUS, ids=range(len(CORPUS)))
def test_what_was_found_once_is_read_as_no_word_about_the_job(body: bytes) -> None:
    answer = read_reply(ASKED, 200, body, 1.0)

    check(answer, 200, body)
    assert answer.status in {VMAStatus.UNINTELLIGIBLE, VMAStatus.RUNNING}


@settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(http_status=STATUSES, body=BODIES)
def test_any_reply_is_one_status_and_garbage_is_never_conclusive(http_status: int, body: bytes) -> None:
    answer = read_reply(ASKED, http_status, body, 1.0)

    check(answer, http_status, body)
    # What cannot be written down and read back would be lost, or worse, stop the log.
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer


@settings(max_examples=300, deadline=None)
@given(depth=st.integers(1, 20_000), opening=st.sampled_from([b"[", b'{"a":']))
def test_depth_is_no_fault_of_ours(depth: int, opening: bytes) -> None:
    body = b'{"status":"completed","x":' + opening * depth

    check(read_reply(ASKED, 200, body, 1.0), 200, body)
