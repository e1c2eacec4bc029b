"""The read model: its tables, its checkpoint in the log, and the projector that updates it."""
