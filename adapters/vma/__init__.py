"""The VMAs over HTTP: requests, circuit breakers and pace, and the parser of what VMAs and workers report."""
