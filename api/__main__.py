"""`python -m api` is `job-recovery`, for where the command is not on the path."""

import signal
import sys


def run() -> int:
    """Run the command line. Ctrl-C ends it at once, unless a command has something to put away.

    As an exception it would be lost while modules load: pydantic, for one, makes an error of its own of it. Ending
    like this loses nothing, for everything here is made to be killed at any moment.
    """
    # Who was started to ignore it, as a shell starts what is to go on in the background, goes on ignoring it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from api import demo  # noqa: PLC0415 - not before Ctrl-C is taken care of
    from api.cli.main import main  # noqa: PLC0415 - likewise

    return main(further=demo.add_to)


if __name__ == "__main__":
    sys.exit(run())
