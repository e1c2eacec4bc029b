"""Secrets are masked in the stored texts of a VMA, without a change of its status."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest

from adapters.vma.address import VMAAddress
from domain.vma_status import VMAStatus

ASKED = "migration-vol-disk-1"


def reply(**fields: object) -> bytes:
    return json.dumps({"job_id": ASKED, "status": "running", "percentage": 41.5, **fields}).encode()


@pytest.mark.parametrize("password", ["running", "percentage", "migration", "41.500", "status", "disk-1"])
def test_a_password_that_is_a_part_of_every_reply_does_not_change_its_status(password: str) -> None:
    address = VMAAddress(f"http://oma:{password}@vma:9081")

    texts = {"last_error": f"denied for {password}", "started_at": f"10:00 {password}", "sync_type": "full"}
    answer = address.read(ASKED, 200, reply(**texts), 1.0)

    assert answer.status is VMAStatus.RUNNING
    assert answer.document is not None
    assert answer.document.progress_percent == 41.5
    assert password not in (answer.excerpt or "")
    assert password not in (answer.document.error or "")
    assert (answer.document.started, answer.document.sync_type) == ("10:00 ***", "full")


def test_a_secret_in_an_error_is_masked() -> None:
    password = "hunter2-canary"
    address = VMAAddress(f"http://oma:{password}@vma:9081")

    answer = address.read(ASKED, 200, reply(status="failed", last_error=f"no login for {password}"), 1.0)

    assert answer.status is VMAStatus.FAILED
    assert answer.document is not None
    assert answer.document.error == "no login for ***"
    assert password.encode() not in msgspec.json.encode(answer)


def test_a_short_password_is_not_masked_and_bytes_that_are_no_text_stay_unintelligible() -> None:
    address = VMAAddress("http://oma:a@vma:9081")

    assert address.read(ASKED, 200, reply(), 1.0).status is VMAStatus.RUNNING
    assert address.read(ASKED, 200, b'\xff@{"status":"running"}', 1.0).status is VMAStatus.UNINTELLIGIBLE


@pytest.mark.parametrize(("password", "told"), [("five5", "no five5!"), ("sixsix", "no ***!")])
def test_a_password_is_masked_from_six_characters_on(password: str, told: str) -> None:
    address = VMAAddress(f"http://oma:{password}@vma:9081")

    answer = address.read(ASKED, 200, reply(status="failed", last_error=f"no {password}!"), 1.0)

    assert (answer.document and answer.document.error) == told
    assert told in address.describe(ValueError(f"no {password}!"))


def test_a_character_that_json_writes_as_two_is_masked_in_both_forms() -> None:
    password = "key-\U0001f511-\U0001f5dd-key"
    address = VMAAddress(f"http://oma:{quote(password, safe='')}@vma:9081")

    for text in (password, json.dumps(password)[1:-1]):
        assert address.describe(ValueError(f"no {text}!")) == "ValueError: no ***!"


def test_an_error_is_described_by_its_first_200_characters() -> None:
    described = VMAAddress("http://vma:9081").describe(ValueError("no " * 1000))

    assert (len(described), described[:15]) == (200, "ValueError: no ")


def test_requests_go_to_the_address_without_its_user() -> None:
    address = VMAAddress("http://oma:hunter2@vma:9081/base/")

    assert address.of("progress", "a/b") == "http://vma:9081/base/api/v1/progress/a%2Fb"
    assert address.headers["Authorization"] == f"Basic {base64.b64encode(b'oma:hunter2').decode()}"
    assert "Authorization" not in VMAAddress("http://vma:9081").headers


@pytest.mark.parametrize("password", ['sec"ret-pass', "gehe\u00efm-pass", "a/b-secret", "a b-secret"])
def test_a_password_is_masked_in_every_form(password: str) -> None:
    address = VMAAddress(f"http://oma:{quote(password, safe='')}@vma:9081")
    forms = [password, quote(password), quote(password, safe="")]
    for text in forms:
        answer = address.read(ASKED, 200, reply(status="failed", last_error=f"no {text}!"), 1.0)
        assert answer.document is not None
        assert answer.document.error == "no ***!"
        assert answer.excerpt is not None
        assert "***" in answer.excerpt
        assert "secret" not in answer.excerpt


def test_a_short_password_is_masked_in_the_header() -> None:
    address = VMAAddress("http://oma:a@vma:9081")
    sent = base64.b64encode(b"oma:a").decode()

    assert sent not in address.describe(ValueError(f"bad line: authorization: Basic {sent}"))


HARD = 'p"a/s\\s&%w\u00efrd'


def in_html(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


ESCAPED: dict[str, Callable[[str], str]] = {
    "every letter in JSON": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "one letter in JSON": lambda text: json.dumps(text)[1:-1].replace("a", "\\u0061", 1),
    "capitals in JSON": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "slashes in JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: "".join(f"\\\\u{ord(character):04x}" for character in text),
    "a URL": lambda text: json.dumps(quote(text, safe=""))[1:-1],
    "a URL in small letters": lambda text: re.sub("%..", lambda code: code[0].lower(), quote(text, safe="")),
    "every letter in a URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "HTML": lambda text: json.dumps(html.escape(text))[1:-1],
    "numbers in HTML": in_html,
    "hexadecimal numbers in HTML": lambda text: "".join(f"&#X{ord(character):04X};" for character in text),
}


@pytest.mark.parametrize("form", ESCAPED)
@pytest.mark.parametrize("what", ["password", "header"])
@pytest.mark.parametrize("password", [HARD, "hunter2-canary"])
def test_an_escaped_secret_is_masked(password: str, what: str, form: str) -> None:
    address = VMAAddress(f"http://oma:{quote(password, safe='')}@vma:9081")
    secret = password if what == "password" else base64.b64encode(f"oma:{password}".encode()).decode()
    text = ESCAPED[form](secret)
    body = f'{{"job_id":"{ASKED}","status":"failed","last_error":"no login for {text}!"}}'.encode()

    answer = address.read(ASKED, 200, body, 1.0)

    assert (answer.status, answer.document and answer.document.error) == (VMAStatus.FAILED, "no login for ***!")
    assert "no login for ***!" in (answer.excerpt or "")
    assert "no login for ***!" in address.describe(ValueError(f"no login for {text}!"))


@pytest.mark.parametrize("text", ["hunter3-canary", "\\u0068unter2", "hunter2 canary", "%68", "50 % \\u0026 more"])
def test_a_text_without_a_secret_is_unchanged(text: str) -> None:
    address = VMAAddress("http://oma:hunter2-canary@vma:9081")
    body = f'{{"job_id":"{ASKED}","status":"failed","last_error":"{text}"}}'.encode()

    assert address.read(ASKED, 200, body, 1.0) == VMAAddress("http://vma:9081").read(ASKED, 200, body, 1.0)


@pytest.mark.parametrize("part", [b"\\", b"&#0", b"%5c", b"\\u005c", b"hunter2-"])
def test_no_reply_takes_long_to_mask(part: bytes) -> None:
    """A pattern with backtracking would take hours."""
    address = VMAAddress("http://oma:" + "%5C" * 12 + "hunter2@vma:9081")
    body = part * (1_000_000 // len(part))

    assert address.read(ASKED, 200, body, 1.0).status is VMAStatus.UNINTELLIGIBLE
