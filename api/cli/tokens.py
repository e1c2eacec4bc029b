"""The commands `token create`, `token list` and `token revoke`."""

import argparse
import sys
from datetime import UTC, datetime

from adapters.host.tokens import Scope, TokenFile
from adapters.identifiers import is_plain_name
from api.cli.client import TOKEN
from api.cli.grid import Grid
from api.cli.output import print_tables
from api.runtime.settings import load_settings
from domain.errors import InvalidInput


def create(arguments: argparse.Namespace) -> None:
    """Create a token, and print its secret."""
    if not is_plain_name(arguments.name):
        raise InvalidInput(f"{arguments.name[:80]!r} cannot be the name of a token: use letters, digits and . _ : -")
    secret = _tokens().create(arguments.name, Scope(arguments.scope), datetime.now(UTC))
    print(secret)
    print(
        f"shown only once; set it as `{TOKEN}` for job-recovery, or send it as `Authorization: Bearer` to the API",
        file=sys.stderr,
    )


def list_all(_: argparse.Namespace) -> None:
    """List the tokens, without their secrets."""
    rows = ((token.name, token.scope.value, f"{token.created_at:%Y-%m-%d %H:%M:%S}") for token in _tokens().all())
    print_tables(Grid("name", "scope", "created at (UTC)", rows=rows))


def revoke(arguments: argparse.Namespace) -> None:
    """Revoke a token."""
    _tokens().revoke(arguments.name)
    print(f"revoked {arguments.name}")


def _tokens() -> TokenFile:
    return TokenFile(load_settings().data_dir)
