"""The demonstration: jobs, a kill -9, a restart, and what recovery makes of each."""
