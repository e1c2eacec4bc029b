"""The HTTP API: who is let in, what a client may cost, how errors are told, the schemas and the routes."""
