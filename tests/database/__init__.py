"""The whole service, while its PostgreSQL is restarted or set up otherwise."""
