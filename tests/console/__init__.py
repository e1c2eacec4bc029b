"""The console in a real browser, given by the real service."""
