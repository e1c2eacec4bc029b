"""The whole service on a virtual clock: thousands of restarts a minute, every one of them told by a seed."""
