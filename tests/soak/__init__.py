"""The real service for a long time, with kills and faults, and checked continuously."""
