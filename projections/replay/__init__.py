"""Recovery runs decided again, from the log or from an exported file."""
