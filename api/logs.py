"""Structured logging: events with fields, as JSON lines or for a person to read."""

import logging
import sys

import structlog

from domain.ports import Log


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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    logger: Log = structlog.get_logger()
    return logger
