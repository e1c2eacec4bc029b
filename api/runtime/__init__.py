"""The running service: settings, composition root, access control, logs, metrics and traces."""
