"""What is asked of the read model: the present, the audit trail, and the past with hindsight."""
