"""The command line.

Exit codes: 0 done, 1 failed or found wrong, 2 bad input or settings, 3 the data directory is held by another process,
4 not found, 130 interrupted (Ctrl-C), as a shell counts it.
"""

import sys
from collections.abc import Sequence

from adapters.host.lease import DataDirectoryHeld
from adapters.plain_text import redacted, visible
from api.cli import local, past, present
from api.cli.common import Parser
from api.runtime.output import drain
from domain.errors import InvalidInput, JobRecoveryError, NotFound

OK, FAILED, BAD_INPUT, HELD, NOT_FOUND = range(5)
INTERRUPTED = 128 + 2
"""As a shell counts a program that SIGINT ended."""

EXIT_CODES: dict[type[JobRecoveryError], int] = {
    InvalidInput: BAD_INPUT,
    DataDirectoryHeld: HELD,
    NotFound: NOT_FOUND,
    JobRecoveryError: FAILED,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are one line on standard error."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.command(arguments)
    except JobRecoveryError as error:
        print(f"job-recovery: {visible(redacted(str(error)))}", file=sys.stderr)
        return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        return OK
    finally:
        drain()
    return OK


def _parser() -> Parser:
    parser = Parser(
        prog="job-recovery",
        description="Brings VM replication jobs safely through a restart.",
        epilog=__doc__,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for part in (local, present, past):
        part.add_to(commands)
    return parser
