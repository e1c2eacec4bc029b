"""An id may have every character of a VM's name, but none that is invisible or separates parts of a URL."""

import unicodedata

import pytest

from adapters.identifiers import MAX_LENGTH, is_plain_name, is_valid_id

NAMES = [
    "ctx-PhilB Test machine-20250909-113839",
    "job-20251003-140000-abc123",
    "5f0c6a1e-2f2b-4a5e-9a55-0c6d7d1f3b11",
    "ctx-größe (1) & 2 + 3's #4 100%?",
    "日本語\u3000サーバー",
    "сервер",
    "a..b",
    "...",
    ".hidden",
    "-a",
    r"a\b",
    "%2f",
    "[red]a",
    "<b>&amp;",
    "💩",
    "e\u0301",
    "a" * MAX_LENGTH,
]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_machine_can_be_an_id(name: str) -> None:
    assert is_valid_id(name)


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "..", "a/b", "/", " a", "a ", "\u3000a", "a\xa0", "a\n", "a\nb", "a\r\nb", "a\0b", "a\tb", "a\x7fb"],
)
def test_what_is_empty_blank_at_an_end_or_part_of_a_path_is_no_id(text: str) -> None:
    assert not is_valid_id(text)


@pytest.mark.parametrize(
    "character", "\u202e\u200b\u200d\u2066\ufeff\xad\u2028\u2029\x85\u3164\u2800\ue000\ud800\U000e0041"
)
def test_an_id_has_no_invisible_character_and_none_that_changes_the_direction_of_text(character: str) -> None:
    assert not is_valid_id(f"a{character}b")


def test_an_id_cannot_be_longer_than_the_maximum() -> None:
    assert not is_valid_id("a" * (MAX_LENGTH + 1))


def test_no_control_format_surrogate_or_private_character_that_python_knows_is_in_an_id() -> None:
    refused = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    forbidden = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in refused]

    assert len(forbidden) > 100_000
    assert [ascii(character) for character in forbidden if is_valid_id(f"a{character}b")] == []


def test_every_letter_digit_mark_and_sign_that_is_seen_may_be_in_an_id() -> None:
    blank = "\u115f\u1160\u2800\u3164\uffa0"
    plain = [chr(code) for code in range(0x40000) if unicodedata.category(chr(code))[0] in "LNMPS"]

    refused = [ascii(character) for character in plain if not is_valid_id(f"a{character}b")]

    assert refused == ["'/'", *(ascii(character) for character in blank)]


@pytest.mark.parametrize("name", ["dc2", "a.b_c:d-e", "9" * 200])
def test_a_plain_name_has_letters_digits_and_a_few_signs(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["", "a b", "-a", "größe", "a\n", "9" * 201, "a/b"])
def test_other_names_are_not_plain(name: str) -> None:
    assert not is_plain_name(name)
