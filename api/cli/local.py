"""The commands that need no service: serve, tokens, a simulated VMA."""

import argparse
import signal
import sys
from datetime import UTC, datetime

from adapters.host.tokens import Scope, TokenFile
from adapters.identifiers import is_plain_name
from api.cli.client import TOKEN
from api.cli.grid import Grid
from api.cli.output import print_tables
from api.runtime.output import take_over
from api.runtime.settings import load_settings
from domain.errors import InvalidInput, JobRecoveryError


def serve(_: argparse.Namespace) -> None:
    """Run the service."""
    # Before what takes long to import: a terminal that closes, or is not read, is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    take_over()

    from api.http import server  # noqa: PLC0415
    from api.runtime.logs import configure  # noqa: PLC0415

    settings = load_settings()
    log = configure(settings.log_format, settings.log_level)
    try:
        server.serve(settings, log)
    except JobRecoveryError:
        raise
    except Exception as fault:
        # Not left to the interpreter, which ends before its traceback is written.
        log.error("service_failed", exc_info=fault)
        raise SystemExit(1) from None


def create_token(arguments: argparse.Namespace) -> None:
    """Create a token, and print it this once."""
    if not is_plain_name(arguments.name):
        raise InvalidInput(f"{arguments.name[:80]!r} cannot be the name of a token: use letters, digits and . _ : -")
    secret = _tokens().create(arguments.name, Scope(arguments.scope), datetime.now(UTC))
    print(secret)
    print(f"shown this once; `{TOKEN}` hands it to job-recovery, `Authorization: Bearer` to the API", file=sys.stderr)


def list_tokens(_: argparse.Namespace) -> None:
    """List the tokens, without their secrets."""
    table = Grid("name", "scope", "created at (UTC)")
    for token in _tokens().all():
        table.add_row(token.name, token.scope.value, f"{token.created_at:%Y-%m-%d %H:%M:%S}")
    print_tables(table)


def revoke_token(arguments: argparse.Namespace) -> None:
    """Revoke a token."""
    _tokens().revoke(arguments.name)
    print(f"revoked {arguments.name}")


def simulate_vma(arguments: argparse.Namespace) -> None:
    """Run a simulated VMA."""
    from adapters.simulated_vma import run  # noqa: PLC0415 - a web server, which no other command here needs

    run(arguments.host, arguments.port, arguments.control_port, arguments.world)


def _tokens() -> TokenFile:
    return TokenFile(load_settings().data_dir)
