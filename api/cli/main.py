"""The command line.

Exit codes: 0 done, 1 failed or verification failed, 2 bad input or settings, which must be corrected, 3 the data
directory or the event log is in use by another process, 4 not found, 130 interrupted (Ctrl-C).
"""

import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from adapters.plain_text import redacted, visible
from api.cli.arguments import top_parser
from api.runtime.output import drain
from domain.errors import JobRecoveryError

OK, FAILED, INVALID, IN_USE, NOT_FOUND = range(5)
INTERRUPTED = 128 + 2
"""As a shell reports a program that SIGINT ended."""

EXIT_CODES = {
    "InvalidInput": INVALID,
    "DataDirectoryInUse": IN_USE,
    "EventLogInUse": IN_USE,
    "NotFound": NOT_FOUND,
    "JobRecoveryError": FAILED,
}
"""By the error's name: importing the classes is slow, and few commands need them."""

OUTPUT_ERRORS = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO}

GARBAGE_COLLECTION = 50_000, 20, 20
"""New objects until the garbage collector runs, instead of 700, and runs until it looks at older ones.

By default it would take a tenth of the CPU of a start, and a seventh of that of polling: most of what it looks at lives
as long as the service, or as a job.
"""

ABOUT = "Tracks VM replication jobs and recovers them after a restart."
EXIT_CODES_HELP = (__doc__ or "").partition("\n\n")[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Errors are one line on standard error."""
    gc.set_threshold(*GARBAGE_COLLECTION)
    _prepare_output()
    try:
        return _run(argv)
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


def _run(argv: Sequence[str] | None) -> int:
    top, _ = top_parser(ABOUT, EXIT_CODES_HELP)
    try:
        arguments = top.parse_args(argv)
        module, _, name = arguments.function.rpartition(".")
        getattr(import_module(module), name)(arguments)
    finally:
        sys.stdout.flush()
    return OK


def _output_failed(error: OSError) -> int:
    """Return the exit code: 0 if the reader, such as `head`, has closed the pipe."""
    # Otherwise the interpreter's last flush fails, too.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return OK
    print(f"job-recovery: standard output cannot be written: {error.strerror}", file=sys.stderr)
    return FAILED


def _prepare_output() -> None:
    """Replace a closed output by /dev/null, and write letters that its encoding lacks as escapes."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
