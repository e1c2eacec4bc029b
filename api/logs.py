"""Structured logging: events with fields, as JSON lines or for a person to read."""

import logging
import sys

import structlog

from domain.ports import Log


def _event_first(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put when and what before the details, for who reads the lines as they come."""
    leading = {name: fields.pop(name) for name in ("timestamp", "level", "event")}
    return {**leading, **fields}


def configure(log_format: str, level: str) -> Log:
    """Set up logging for the process and return the service's logger."""
    human = log_format == "human" or (log_format == "auto" and sys.stdout.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _event_first,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    logger: Log = structlog.get_logger()
    return logger
