"""Implementations of the domain's ports. May import `domain`."""
