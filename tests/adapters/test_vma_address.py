"""A VMA's secrets are masked in what is kept of its words, and its word is heard all the same."""

import base64
import json
from urllib.parse import quote

import msgspec
import pytest

from adapters.vma_address import VMAAddress
from domain.vma_status import VMAStatus

ASKED = "migration-vol-disk-1"


def reply(**fields: object) -> bytes:
    return json.dumps({"job_id": ASKED, "status": "running", "percentage": 41.5, **fields}).encode()


@pytest.mark.parametrize("password", ["running", "percentage", "migration", "41.500", "status", "disk-1"])
def test_a_password_that_is_a_word_of_every_reply_changes_nothing_of_what_it_means(password: str) -> None:
    address = VMAAddress(f"http://oma:{password}@vma:9081")

    texts = {"last_error": f"denied for {password}", "started_at": f"10:00 {password}", "sync_type": "full"}
    answer = address.read(ASKED, 200, reply(**texts), 1.0)

    assert answer.status is VMAStatus.RUNNING
    assert answer.document is not None
    assert answer.document.progress_percent == 41.5
    assert password not in (answer.excerpt or "")
    assert password not in (answer.document.error or "")
    assert (answer.document.started, answer.document.sync_type) == ("10:00 ***", "full")


def test_a_reason_with_a_secret_in_it_is_kept_without() -> None:
    password = "hunter2-canary"
    address = VMAAddress(f"http://oma:{password}@vma:9081")

    answer = address.read(ASKED, 200, reply(status="failed", last_error=f"no login for {password}"), 1.0)

    assert answer.status is VMAStatus.FAILED
    assert answer.document is not None
    assert answer.document.error == "no login for ***"
    assert password.encode() not in msgspec.json.encode(answer)


def test_a_short_password_is_not_looked_for_and_bytes_that_are_no_text_stay_unintelligible() -> None:
    address = VMAAddress("http://oma:a@vma:9081")

    assert address.read(ASKED, 200, reply(), 1.0).status is VMAStatus.RUNNING
    assert address.read(ASKED, 200, b'\xff@{"status":"running"}', 1.0).status is VMAStatus.UNINTELLIGIBLE


def test_questions_go_to_the_address_without_its_user() -> None:
    address = VMAAddress("http://oma:hunter2@vma:9081/base/")

    assert address.of("progress", "a/b") == "http://vma:9081/base/api/v1/progress/a%2Fb"
    assert address.login is not None
    assert VMAAddress("http://vma:9081").login is None


@pytest.mark.parametrize("password", ['sec"ret-pass', "gehe\u00efm-pass", "a/b-secret", "a b-secret"])
def test_a_password_is_known_in_every_form_in_which_it_comes_back(password: str) -> None:
    address = VMAAddress(f"http://oma:{quote(password, safe='')}@vma:9081")
    forms = [password, quote(password), quote(password, safe="")]
    for said in forms:
        answer = address.read(ASKED, 200, reply(status="failed", last_error=f"no {said}!"), 1.0)
        assert answer.document is not None
        assert answer.document.error == "no ***!"
        assert answer.excerpt is not None
        assert "***" in answer.excerpt
        assert "secret" not in answer.excerpt


def test_a_short_password_is_known_as_it_is_sent() -> None:
    address = VMAAddress("http://oma:a@vma:9081")
    sent = base64.b64encode(b"oma:a").decode()

    assert sent not in address.in_words(ValueError(f"bad line: authorization: Basic {sent}"))
