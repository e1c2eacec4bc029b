"""A cell of a CSV export is plain text for spreadsheets, editors and terminals."""

import csv

import pytest

from api.http.exports import _row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t=1", "\\t=1"),
        ("\ufeff=1", "\\ufeff=1"),
        ("a\rb\nc", "a\\rb\\nc"),
        ("\x1b[31mred\x9b0m", "\\x1b[31mred\\x9b0m"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ('gr\u00f6\u00dfe, "x" = 1', 'gr\u00f6\u00dfe, "x" = 1'),
        ("", ""),
        (None, ""),
        (-1, "-1"),
    ],
)
def test_a_cell_has_no_formula_and_no_control_character(value: object, shown: str) -> None:
    row = _row([value, "next"])

    assert next(csv.reader([row.decode()])) == [shown, "next"]
