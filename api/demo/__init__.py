"""The command `demo`: jobs, a kill -9, a restart, and the decision about each job."""
