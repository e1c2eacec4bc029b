"""The event log on SQLite: the store, how events are encoded, seals, snapshots, and the writer in groups."""
