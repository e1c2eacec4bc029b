"""Structured logging: events with fields, as JSON lines or for a person to read."""

import logging
import sys
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from adapters.plain_text import redacted, visible
from domain.ports import Log

NAME = "job_recovery"
"""Of the logger and of its handler."""


def _event_first(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Put when and what before the details, for who reads the lines as they come."""
    leading = {name: fields.pop(name) for name in ("timestamp", "level", "event")}
    return {**leading, **fields}


def _for_a_person(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Write out what a terminal would obey: some of it was sent by others."""
    return {name: _lines(value) if isinstance(value, str) else value for name, value in fields.items()}


def _lines(text: str) -> str:
    """Keep the lines of a traceback; nothing else has any."""
    return "\n".join(map(visible, text.split("\n"))) if text.startswith("Traceback") else visible(text)


def _without_secrets(_logger: object, _method: str, line: Any) -> str:  # noqa: ANN401 - what the renderer made
    return redacted(str(line))


def _of_library(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """Make what a library says an event of ours, so that every line of the log has one form."""
    return {**fields, "event": "library_said", "library": fields["_record"].name, "said": fields["event"]}


def configure(log_format: str, level: str) -> Log:
    """Set up logging for the process, libraries' warnings included, and return the service's logger."""
    human = log_format == "human" or (log_format == "auto" and sys.stdout.isatty())
    rendering: list[Processor] = (
        [_for_a_person, structlog.dev.ConsoleRenderer()] if human else [structlog.processors.JSONRenderer()]
    )
    told: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    _handle(
        ProcessorFormatter(
            foreign_pre_chain=[_of_library, *told],
            processors=[ProcessorFormatter.remove_processors_meta, _event_first, *rendering, _without_secrets],
        )
    )
    structlog.configure(
        processors=[*told, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.getLogger(NAME).setLevel(logging.DEBUG)
    logger: Log = structlog.get_logger(NAME)
    return logger


def _handle(formatter: logging.Formatter) -> None:
    """Print each line to what is standard output now, in place of an earlier handler of ours."""
    root = logging.getLogger()
    for before in [handler for handler in root.handlers if handler.name == NAME]:
        root.removeHandler(before)
    handler = logging.StreamHandler(sys.stdout)
    handler.name = NAME
    handler.setFormatter(formatter)
    root.addHandler(handler)
