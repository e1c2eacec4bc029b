"""The commands of `job-recovery`: those that ask a service, those about the past, and those on the data directory."""
