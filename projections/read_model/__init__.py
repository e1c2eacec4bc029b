"""The read model: its tables, its position in the log, and the projector that fills it."""
