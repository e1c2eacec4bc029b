"""The HTTP API: authentication, limits, problem details, schemas and routes."""
