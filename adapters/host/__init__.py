"""The host: the clock, and the files of the data directory that are no database."""
