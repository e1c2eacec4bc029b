"""Masking secrets takes linear time for every text, and masks exactly the secrets."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.plain_text import redacted

LENGTH = 2_000_000
"""Characters: a pattern with quadratic time takes minutes, one with linear time half a second."""


@pytest.mark.parametrize("part", ["/", "//a", "//@", "a//b", "a/", '//"', "// ", "jr_", "jr_a ", "x"])
def test_a_text_of_one_thing_repeated_is_masked_in_linear_time(part: str) -> None:
    text = part * (LENGTH // len(part))
    began = time.monotonic()

    redacted(text)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize("end", ["", "@", " @", '"@'])
def test_the_time_is_linear_where_the_end_of_the_address_is_far_away(end: str) -> None:
    began = time.monotonic()

    redacted("//a" * (LENGTH // 3) + end)

    assert time.monotonic() - began < 10


def test_a_password_of_any_length_is_masked() -> None:
    assert redacted(f"at http://oma:{'p' * 5000}@vma:9081/x") == "at http://***@vma:9081/x"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("http://a:b@c and http://d:e@f", "http://***@c and http://***@f"),
        ('{"a":"http://a:b@c","b":"x@y"}', '{"a":"http://***@c","b":"x@y"}'),
        ("http://a//b:c@d", "http://***@d"),
        ("a@b //c", "a@b //c"),
        ("//@", "//***@"),
    ],
)
def test_each_address_of_a_text_is_masked_by_itself(text: str, kept: str) -> None:
    assert redacted(text) == kept


@given(st.text(alphabet='/@: "\nab', max_size=200))
def test_what_is_masked_is_all_between_the_first_slashes_and_the_last_at_of_a_word(text: str) -> None:
    def masked(word: str) -> str:
        begin, end = word.find("//"), word.rfind("@")
        return f"{word[:begin]}//***{word[end:]}" if begin >= 0 and begin + 2 <= end else word

    words = re.split(r'([\s"]+)', text)

    assert redacted(text) == "".join(map(masked, words))
