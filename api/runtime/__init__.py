"""The running service: its settings, its parts put together, its server, logs, metrics and traces."""
