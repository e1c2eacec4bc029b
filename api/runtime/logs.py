"""Structured logging: events with fields, as JSON lines or for a person to read."""

import logging
import sys
from typing import Any

import structlog

from adapters.plain_text import redacted, visible
from domain.ports import Log


def _event_first(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put when and what before the details, for who reads the lines as they come."""
    leading = {name: fields.pop(name) for name in ("timestamp", "level", "event")}
    return {**leading, **fields}


def _for_a_person(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Write out what a terminal would obey: some of it was sent by others."""
    return {name: _lines(value) if isinstance(value, str) else value for name, value in fields.items()}


def _lines(text: str) -> str:
    """Keep the lines of a traceback; nothing else has any."""
    return "\n".join(map(visible, text.split("\n"))) if text.startswith("Traceback") else visible(text)


def _without_secrets(_logger: object, _method: str, line: Any) -> str:  # noqa: ANN401 - what the renderer made
    return redacted(str(line))


class _Printer:
    """Prints finished lines to what is standard output now.

    Without a lock, unlike structlog's own: a finalizer may log in the middle of a line of the same thread.
    """

    def __init__(self, *_: object) -> None:
        self._file = sys.stdout

    def msg(self, line: str) -> None:
        """Print one line."""
        self._file.write(f"{line}\n")
        self._file.flush()

    debug = info = warning = error = critical = msg


class _Libraries(logging.Handler):
    """Says what the libraries have to say as events of ours, so that every line of the log has one form."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        try:
            fields: dict[str, object] = {"library": record.name, "said": record.getMessage()}
            if record.exc_info:
                fields["exc_info"] = record.exc_info
            say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
            say("library_said", **fields)
        except (TypeError, ValueError, OSError):
            # A library's slip of the pen, or a full disk, is no fault of what it was doing.
            self.handleError(record)


def _take_over(log: Log) -> None:
    root = logging.getLogger()
    for before in [handler for handler in root.handlers if isinstance(handler, _Libraries)]:
        root.removeHandler(before)
    root.addHandler(_Libraries(log))


def configure(log_format: str, level: str) -> Log:
    """Set up logging for the process and return the service's logger."""
    human = log_format == "human" or (log_format == "auto" and sys.stdout.isatty())
    rendering: list[structlog.typing.Processor] = (
        [_for_a_person, structlog.dev.ConsoleRenderer()] if human else [structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _event_first,
            *rendering,
            _without_secrets,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_Printer,
    )
    logger: Log = structlog.get_logger()
    _take_over(logger)
    return logger
