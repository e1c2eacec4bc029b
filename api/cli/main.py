"""The command line.

Exit codes: 0 done, 1 failed or verification failed, 2 bad input or settings, 3 the data directory is in use by another
process, 4 not found, 130 interrupted (Ctrl-C), as a shell counts it.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from adapters.plain_text import redacted, visible
from api.cli.arguments import Commands, top_parser
from api.runtime.output import drain
from domain.errors import JobRecoveryError

OK, FAILED, BAD_INPUT, IN_USE, NOT_FOUND = range(5)
INTERRUPTED = 128 + 2
"""As a shell counts a program that SIGINT ended."""

EXIT_CODES = {
    "InvalidInput": BAD_INPUT,
    "DataDirectoryInUse": IN_USE,
    "NotFound": NOT_FOUND,
    "JobRecoveryError": FAILED,
}
"""By the error's name: importing the classes would make every command wait for modules that few commands need."""

OUTPUT_ERRORS = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO}

ABOUT = "Brings VM replication jobs safely through a restart."
EXIT_CODES_HELP = (__doc__ or "").partition("\n\n")[2]


def main(argv: Sequence[str] | None = None, further: Callable[[Commands], None] | None = None) -> int:
    """Run one command; errors are one line on standard error. `further` adds commands."""
    _prepare_output()
    try:
        return _run(argv, further)
    except JobRecoveryError as error:
        print(f"job-recovery: {visible(redacted(str(error)))}", file=sys.stderr)
        return next(EXIT_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in EXIT_CODES)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS or error.filename is not None:
            raise
        return _output_failed(error)
    finally:
        drain()


def _run(argv: Sequence[str] | None, further: Callable[[Commands], None] | None) -> int:
    top, commands = top_parser(ABOUT, EXIT_CODES_HELP)
    if further is not None:
        further(commands)
    try:
        arguments = top.parse_args(argv)
        module, _, name = arguments.function.rpartition(".")
        getattr(import_module(module), name)(arguments)
    finally:
        sys.stdout.flush()
    return OK


def _output_failed(error: OSError) -> int:
    """Return the exit code. A reader that has read enough, as `head` does, is no failure."""
    # Otherwise the interpreter's last flush would fail, too.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return OK
    print(f"job-recovery: standard output cannot be written: {error.strerror}", file=sys.stderr)
    return FAILED


def _prepare_output() -> None:
    """Replace a closed output by none, and have letters that its encoding lacks written as escapes."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
