"""Replay of recovery runs, from the log or from an exported file."""
