"""Queries of the read model: the present, the audit trail, and hindsight."""
