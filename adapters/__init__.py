"""The outside world behind the ports of the domain. May import `domain`."""
