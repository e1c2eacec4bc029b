"""What runs as long as the service does. Each process reads a clock and ports; none does I/O itself."""
