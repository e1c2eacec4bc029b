"""An argument that is not UTF-8 is refused, and the one that it is in is named. A file's name may have any bytes."""

import os
from pathlib import Path

import pytest

from api.cli.arguments import top_parser
from api.cli.main import main
from tests.api.cli.conftest import complaint

BYTES = os.fsdecode(b"\xff")
"""As the interpreter gives it to the program."""

NAMED = [
    (["audit", "--actor", BYTES], "--actor"),
    (["audit", "--actor", "mara", "--actor", f"tom{BYTES}"], "--actor"),
    (["jobs", "--state", BYTES], "--state"),
    (["jobs", "--at", BYTES], "--at"),
    (["jobs", "--url", f"http://localhost:9/{BYTES}"], "--url"),
    (["compare", "run-1", BYTES], "RUN_B"),
    (["job", BYTES], "JOB"),
    (["register", "job-1", "--vm-name", BYTES, "--volume", "disk-1"], "--vm-name"),
    (["decide", "job-1", "fail", "--why", BYTES], "--why"),
    (["what-if", "--policy", f"lost_after={BYTES}"], "--policy"),
]


@pytest.mark.parametrize(("line", "argument"), NAMED)
def test_an_argument_that_is_not_utf8_is_refused_by_its_name(
    line: list[str], argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2
    assert f"argument {argument}: its value is not UTF-8" in complaint(capsys)


@pytest.mark.parametrize("line", [[BYTES], ["jobs", f"--{BYTES}"], ["jobs", "--limit", BYTES], ["replay", BYTES]])
def test_bytes_as_a_command_a_number_or_a_run_are_one_line(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == 2
    complaint(capsys)


def test_a_text_beyond_ascii_is_taken() -> None:
    assert top_parser("", None)[0].parse_args(["audit", "--actor", "Jörg 日本 🙂"]).actor == ["Jörg 日本 🙂"]


def test_a_path_may_have_any_bytes() -> None:
    top, _ = top_parser("", None)
    exported = top.parse_args(["replay", BYTES, "--export", BYTES])
    copied = top.parse_args(["copy", "--from", f"sqlite:////{BYTES}", "--to", f"sqlite:////a{BYTES}"])

    assert (exported.run, exported.export) == (BYTES, Path(BYTES))
    assert (copied.from_url, copied.to_url) == (f"sqlite:////{BYTES}", f"sqlite:////a{BYTES}")
