"""Structured logging: events with fields, as JSON lines or as text for a terminal."""

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from adapters.plain_text import redacted, visible
from domain.ports import Log

NAME = "job_recovery"
"""Name of the logger and of its handler."""


def _event_first(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Put time, level and event before the other fields."""
    leading = {name: fields.pop(name) for name in ("timestamp", "level", "event")}
    return {**leading, **fields}


def _escaped(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Escape control characters, which a terminal would execute: clients and VMAs send some of the texts."""
    return {name: _lines(value) if isinstance(value, str) else value for name, value in fields.items()}


def _lines(text: str) -> str:
    """Escape a text, except the line breaks of a traceback."""
    return "\n".join(map(visible, text.split("\n"))) if text.startswith("Traceback") else visible(text)


def _without_secrets(_logger: object, _method: str, line: Any) -> str:  # noqa: ANN401 - what the renderer returns
    return redacted(str(line))


def _from_library(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Turn a library's message into an event, so that all lines of the log have one form."""
    return {**fields, "event": "library_message", "library": fields["_record"].name, "message": fields["event"]}


def configure(log_format: str, level: str) -> Log:
    """Configure logging of the process, with libraries' warnings, and return the service's logger."""
    human = log_format == "human" or (log_format == "auto" and sys.stdout.isatty())
    rendering: list[Processor] = (
        [_escaped, structlog.dev.ConsoleRenderer()] if human else [structlog.processors.JSONRenderer()]
    )
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    _handle(
        ProcessorFormatter(
            foreign_pre_chain=[_from_library, *shared],
            processors=[ProcessorFormatter.remove_processors_meta, _event_first, *rendering, _without_secrets],
        )
    )
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.getLogger(NAME).setLevel(logging.DEBUG)
    logger: Log = structlog.get_logger(NAME)
    return logger


def _handle(formatter: logging.Formatter) -> None:
    """Log to the present standard output, in place of an earlier handler of this service."""
    root = logging.getLogger()
    for earlier in [handler for handler in root.handlers if handler.name == NAME]:
        root.removeHandler(earlier)
    handler = logging.StreamHandler(sys.stdout)
    handler.name = NAME
    handler.setFormatter(formatter)
    root.addHandler(handler)
