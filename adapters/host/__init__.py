"""The host: the clock, and the files of the data directory other than databases."""
