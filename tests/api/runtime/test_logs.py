"""Every line of the log is an event with fields, also those of libraries, and has no secret."""

import json
import logging

import pytest

from api.runtime.logs import NAME, configure

TOKEN = "jr_" + "a" * 43


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_message_of_a_library_is_an_event_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    configure("json", "info")
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("some.library").exception("it broke")
    logging.getLogger("some.library").info("nobody asked")

    (line,) = lines(capsys)

    logged = json.loads(line)
    assert (logged["event"], logged["level"], logged["library"]) == ("library_message", "error", "some.library")
    assert "ValueError: invalid literal" in logged["exception"]


@pytest.mark.parametrize("form", ["json", "human"])
def test_secrets_are_in_no_form_of_the_log(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = configure(form, "info")

    log.warning("refused", token=TOKEN, url="http://oma:hunter2@vma:9081")

    (line,) = lines(capsys)
    assert TOKEN not in line
    assert "hunter2" not in line
    assert "***" in line


def test_the_text_form_is_one_line_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    log = configure("human", "info")

    log.info("poll", why="red\x1b[31m\nforged: line\u202e", name="red\x1b[31m")

    (line,) = lines(capsys)
    assert r"red\x1b[31m" in line
    assert "red\x1b" not in line
    assert "\u202e" not in line


def test_an_invalid_log_call_of_a_library_raises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "%d files", ("many",), None)

    configure("json", "info")
    next(handler for handler in logging.getLogger().handlers if handler.name == NAME).handle(record)

    assert lines(capsys) == []


def test_the_text_form_of_a_traceback_has_its_line_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    log = configure("human", "info")
    try:
        int("\x1b[31m")
    except ValueError as error:
        log.error("broke", exc_info=error)

    logged = lines(capsys)
    assert len(logged) > 2
    assert not any("\x1b[31mint" in line for line in logged)
