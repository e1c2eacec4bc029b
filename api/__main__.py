"""`python -m api` is `job-recovery`, for where the command is not on the path."""

import sys

INTERRUPTED = 128 + 2


def run() -> int:
    """Run the command line. It is imported only here, so that Ctrl-C while it loads is no traceback."""
    try:
        from api.cli import main  # noqa: PLC0415

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
