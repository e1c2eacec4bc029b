"""The commands `token create`, `token list` and `token revoke`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from adapters.host.private_files import check_is_directory
from adapters.host.tokens import Scope, TokenFile
from adapters.identifiers import is_plain_name
from api.cli.answers import TOKEN
from api.cli.grid import Grid
from api.cli.output import print_tables
from api.runtime.settings import load_settings
from domain.errors import InvalidInput, NotFound


def create(arguments: argparse.Namespace) -> None:
    """Create a token, and print its secret."""
    if not is_plain_name(arguments.name):
        raise InvalidInput(f"{arguments.name[:80]!r} cannot be the name of a token: use letters, digits and . _ : -")
    data_dir = _data_dir()
    secret = TokenFile(data_dir).create(arguments.name, Scope(arguments.scope), datetime.now(UTC))
    print(secret)
    print(
        f"a token of {data_dir}, shown only once; set it as `{TOKEN}` for job-recovery, or send it as "
        "`Authorization: Bearer` to the API",
        file=sys.stderr,
    )


def list_all(_: argparse.Namespace) -> None:
    """List the tokens, without their secrets."""
    data_dir = _data_dir()
    tokens = TokenFile(data_dir).all()
    rows = ((token.name, token.scope.value, f"{token.created_at:%Y-%m-%d %H:%M:%S}") for token in tokens)
    print_tables(Grid("name", "scope", "created at (UTC)", rows=rows, title=f"Tokens of {data_dir}"))


def revoke(arguments: argparse.Namespace) -> None:
    """Revoke a token."""
    data_dir = _data_dir()
    TokenFile(data_dir).revoke(arguments.name)
    print(f"revoked {arguments.name} of {data_dir}")


def _data_dir() -> Path:
    """Return the data directory of the settings, which may not be there yet if they name it.

    Raises:
        InvalidInput: it is not a directory.
        NotFound: they do not name it, and there is none of the default name in the working directory.

    """
    settings = load_settings()
    data_dir = settings.data_dir.absolute()
    if "data_dir" not in settings.model_fields_set and not data_dir.is_dir():
        raise NotFound(f"there is no data directory {data_dir}: set JOB_RECOVERY_DATA_DIR to that of the service")
    check_is_directory(data_dir)
    return data_dir
