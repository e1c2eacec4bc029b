"""The real service for a long time: killed, starved and lied to, and looked at all the while."""
