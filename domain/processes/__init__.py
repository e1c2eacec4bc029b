"""The processes that run as long as the service. They use a clock and ports; none does I/O itself."""
