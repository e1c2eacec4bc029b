"""A failover to a PostgreSQL replica that lagged, under the real service."""
