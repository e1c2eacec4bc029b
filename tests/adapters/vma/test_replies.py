"""Which replies are an answer about the job that was asked for, and which are nothing of the kind."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vma.dialects import EXCERPT_BYTES, read_reply
from adapters.vma.reply import Reply
from domain.vma_status import CONCLUSIVE, VMAStatus
from tests.adapters.vma.vma_says import ID, reply, says


@pytest.mark.parametrize(
    "body",
    [
        "job not found",
        "job not found\n",
        f"Job not found: {ID}",
        " JOB NOT FOUND",
        "job not found.",
        f"No active migration found for job: {ID}",
        f"no active migration found for job: {ID}.\n",
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_not_found_is_understood_as_text(body: str, status: int) -> None:
    assert reply(body, status).status is VMAStatus.NOT_FOUND


def test_not_found_is_understood_as_json() -> None:
    assert reply({"error": "job not found", "job_id": ID}, 404).status is VMAStatus.NOT_FOUND
    assert reply({"error": f"Job not found: {ID}"}, 404).status is VMAStatus.NOT_FOUND
    assert reply({"error": f"No active migration found for job: {ID}"}, 404).status is VMAStatus.NOT_FOUND
    assert reply({"error": "job not found", "status": "error"}, 404).status is VMAStatus.NOT_FOUND
    assert reply({"error": "job not found", "status": 404}, 404).status is VMAStatus.NOT_FOUND


@pytest.mark.parametrize(
    "body",
    [
        "job not found: job-other",
        "job not found<html>",
        "job not found" + " " * 3000 + "<html>",
        "No active migration found",
        "No active migration found for job",
        "No active migration found for job: job-other",
        f"No active migration found for job: {ID} nor any other",
        f"No active migration found for job: {ID.upper()}",
        {"error": "No active migration found for job: job-other"},
        "job not found by the gateway",
        "no job not found",
        {"error": "job not found", "job_id": "job-other"},
        {"error": "job not found: job-other"},
        {"error": "job not found by the gateway"},
        {"error": ["job not found"]},
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_not_found_about_something_else_tells_nothing_about_the_job(body: str | dict[str, Any], status: int) -> None:
    assert reply(body, status).status is VMAStatus.UNINTELLIGIBLE


@pytest.mark.parametrize("word", ["in_progress", "completed"])
def test_a_job_with_a_status_is_known_whatever_its_error(word: str) -> None:
    assert says(status=word, percentage=100, error="job not found") in CONCLUSIVE


@pytest.mark.parametrize(
    "body", ["404 page not found", "<html>404 Not Found</html>", "", "{}", '{"error":"gone"}', "{"]
)
def test_a_404_of_another_server_tells_nothing_about_the_job(body: str) -> None:
    assert reply(body, 404).status is VMAStatus.UNINTELLIGIBLE


@pytest.mark.parametrize("status", [502, 503, 504])
def test_the_tunnels_errors_are_unreachable(status: int) -> None:
    assert reply("job not found", status).status is VMAStatus.UNREACHABLE


@pytest.mark.parametrize("status", [100, 199, 201, 204, 206, 301])
def test_only_200_is_an_answer_about_a_job(status: int) -> None:
    assert reply({"status": "in_progress"}, status).status is VMAStatus.UNINTELLIGIBLE


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_refused_login_is_not_asked_with_a_remedy(status: int) -> None:
    for body in ("job not found", {"job_id": ID, "status": "completed"}):
        answer = reply(body, status)

        assert answer.status is VMAStatus.NOT_ASKED
        assert answer.detail == (
            f"login refused (HTTP {status}): check user and password in the VMA's address in the settings"
        )


def test_too_many_requests_is_unanswered() -> None:
    for body in ("job not found", {"job_id": ID, "status": "completed"}):
        answer = reply(body, 429)

        assert (answer.status, answer.detail) == (VMAStatus.UNANSWERED, "too many requests (HTTP 429)")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 402, 405, 428, 500, 501, 505])
def test_any_other_status_code_is_unintelligible_whatever_the_body(status: int) -> None:
    assert reply({"job_id": ID, "status": "completed"}, status).status is VMAStatus.UNINTELLIGIBLE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b'{"status":"completed"',
        b"[1]",
        b"null",
        b'{"status":"completed","percentage":NaN}',
        b'{"status":"completed","percentage":1e999}',
        b'{"status":"completed","percentage":-1}',
        b'{"status":"completed","percentage":"100"}',
        b'{"status":"completed","percentage":true}',
        b'{"status":"completed","bytes_transferred":-1}',
        b'{"status":"completed","job_id":"migration-vol-other"}',
        b'{"status":"completed","aggregate":7}',
        b'{"status":"completed","disk_progresses":{"a":1}}',
        b'{"status":"completed","disk_progresses":["x"]}',
        b'{"status":"completed","disk_progresses":[{"status":"dancing"}]}',
        b'{"status":"\xff"}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
    ],
)
def test_garbage_is_unintelligible_and_its_excerpt_is_bounded(body: bytes) -> None:
    answer = reply(body)

    assert answer.status is VMAStatus.UNINTELLIGIBLE
    assert answer.detail
    assert len(answer.excerpt or "") <= EXCERPT_BYTES


def test_the_quote_of_an_unintelligible_value_is_bounded() -> None:
    for fields, bound in (
        ({"job_id": "x" * 500, "status": "running"}, 80),
        ({"status": "x" * 500}, 40),
    ):
        detail = reply(fields).detail or ""
        assert "x" * bound in detail
        assert "x" * (bound + 1) not in detail
    listed = reply({"status": "running", "disk_progresses": [{"disk_id": "x" * 500, "percent": 1}]}).document
    assert listed is not None
    assert listed.disks[0].disk_id == "x" * 80


@pytest.mark.parametrize(
    "asked", ["ctx-PhilB Test machine-20250909-113839", "a.", "größe (1) & 2%", "x" * 200, "💩" * 200]
)
def test_an_id_of_any_form_is_recognized_in_a_not_found(asked: str) -> None:
    for words in ("Job not found", "No active migration found for job"):
        for said in (f"{words}: {asked}", json.dumps({"error": f"{words}: {asked}"})):
            assert read_reply(asked, 404, said.encode(), 1.0).status is VMAStatus.NOT_FOUND
        other = f"{words}: {asked} and more"
        assert read_reply(asked, 404, other.encode(), 1.0).status is VMAStatus.UNINTELLIGIBLE


@given(st.binary(max_size=300), st.integers(100, 599))
def test_any_bytes_end_in_one_answer_and_nothing_is_concluded_from_garbage(body: bytes, status: int) -> None:
    answer = read_reply(ID, status, body, 1.0)

    if answer.status in CONCLUSIVE:
        assert isinstance(json.loads(body), dict)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


ANYTHING = SCALARS | st.lists(SCALARS, max_size=4) | st.lists(st.dictionaries(st.text(max_size=8), SCALARS, max_size=4))


FIELDS = [
    *("job_id", "status", "phase", "stage", "percentage", "percent", "bytes_transferred", "total_bytes"),
    *("errors", "last_error", "disk_progresses", "disks", "aggregate"),
]


# The first example pays for building the strategies, which a busy machine takes for slow generation.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6))
def test_any_document_is_read_or_refused_and_never_breaks_the_parser(document: dict[str, Any]) -> None:
    assert reply(document).status in {*CONCLUSIVE, VMAStatus.UNINTELLIGIBLE}


@pytest.mark.parametrize(
    ("http_status", "is_the_vma"),
    [*((code, True) for code in (200, 401, 403, 404, 429, 500)), *((code, False) for code in (407, 502, 503, 504))],
)
def test_what_an_intermediary_answers_for_a_vma_is_no_sign_of_its_life(http_status: int, *, is_the_vma: bool) -> None:
    answered = Reply(reply("", http_status))

    assert answered.is_sign_of_life is is_the_vma
