"""A logger for programs without logs."""


class NullLogger:
    """Logs nothing."""

    def info(self, event: str, /, **fields: object) -> None:
        """Log nothing."""

    warning = error = info
