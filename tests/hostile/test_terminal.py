"""Control characters in texts of others are escaped on a terminal, and secrets are redacted."""

import io

import pytest
from rich.console import Console

from adapters.plain_text import redacted, visible
from api.cli.grid import Grid

NAUGHTY = "[/red] :boom: \x1b[31mred\x07 \u202eturned \r\n[link=http://x]y[/link]"


def shown(table: Grid) -> str:
    out = io.StringIO()
    Console(file=out, width=400, force_terminal=True, color_system="standard").print(table.drawn(400))
    return out.getvalue()


def test_control_characters_and_markup_in_a_name_are_shown_literally() -> None:
    grid = Grid("job", "what", rows=[["job-1", NAUGHTY]])

    text = shown(grid)

    assert r"[/red] :boom: \x1b[31mred\x07 \u202eturned \r\n[link=http://x]y[/link]" in text
    assert "\x1b[31m" not in text


def test_control_characters_and_markup_in_a_title_and_a_column_are_shown_literally() -> None:
    grid = Grid("[red]:boom:", title="[/red] :boom: \x1b[31mred", rows=[["a" * 40]])

    text = shown(grid)

    assert "[red]:boom:" in text
    assert r"[/red] :boom: \x1b[31mred" in text


@pytest.mark.parametrize("text", ["a b", "pgtest1", "größe", "日本語", "[x]"])
def test_printable_text_is_unchanged(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see jr_" + "a" * 43 + " please", "see jr_*** please"),
        ("http://oma:hunter2@vma:9081/x", "http://***@vma:9081/x"),
        ("mail anna@example.org // soon", "mail anna@example.org // soon"),
        ("jr_short", "jr_short"),
        ("http://a/b@c", "http://***@c"),
        ("http://u:pa'ss@host", "http://***@host"),
        ("http://u:p@ss@host", "http://***@host"),
        ("http://u:p/ss@host", "http://***@host"),
    ],
)
def test_secrets_are_recognised_by_their_form(text: str, kept: str) -> None:
    assert redacted(text) == kept
