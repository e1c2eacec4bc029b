"""The event log on SQLite: store, encoding, seals, snapshots, group commit."""
