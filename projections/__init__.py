"""The read side: tables folded from the event log, and the queries on them. May import `domain`."""
