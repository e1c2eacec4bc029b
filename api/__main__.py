"""`python -m api` is `job-recovery`."""

import signal
import sys


def run() -> int:
    """Run the command line. Ctrl-C ends the process at once, unless a command handles it.

    Raised as an exception, it is lost while modules load: pydantic, for one, raises an error of its own instead.
    Ending at once loses nothing: the service can be killed at any time.
    """
    # A process that was started to ignore SIGINT, such as a background job of a shell, still ignores it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from api.cli.main import main  # noqa: PLC0415 - after Ctrl-C is handled

    return main()


if __name__ == "__main__":
    sys.exit(run())
