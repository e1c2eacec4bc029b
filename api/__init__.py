"""What people and programs call: HTTP and command line, and the one place where all is put together."""
