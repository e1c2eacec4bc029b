"""The whole service on a virtual clock: thousands of restarts a minute, each repeatable by its seed."""
