"""The event log in a database: store, encoding, seals, snapshots, group commit; on SQLite and PostgreSQL."""
