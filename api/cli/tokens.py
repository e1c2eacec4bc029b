"""The commands `token create`, `token list` and `token revoke`."""

import argparse
import sys
from contextlib import suppress
from datetime import UTC, datetime

from adapters.host.private_files import check_is_directory
from adapters.host.tokens import TokenFile
from adapters.identifiers import is_plain_name
from adapters.tokens import Scope, TokenStore
from api.cli.answers import TOKEN
from api.cli.grid import Grid
from api.cli.output import print_tables
from api.runtime.settings import Settings, load_settings
from api.runtime.token_stores import token_store
from domain.errors import InvalidInput, NotFound, StorageUnavailable


def create(arguments: argparse.Namespace) -> None:
    """Create a token, and print its secret."""
    if not is_plain_name(arguments.name):
        raise InvalidInput(f"{arguments.name[:80]!r} cannot be the name of a token: use letters, digits and . _ : -")
    store = _store()
    secret = store.create(arguments.name, Scope(arguments.scope), datetime.now(UTC))
    print(secret)
    print(
        f"a token of {store.place}, shown only once; set it as `{TOKEN}` for job-recovery, or send it as "
        "`Authorization: Bearer` to the API",
        file=sys.stderr,
    )


def list_all(_: argparse.Namespace) -> None:
    """List the tokens, without their secrets."""
    store = _store()
    rows = ((token.name, token.scope.value, f"{token.created_at:%Y-%m-%d %H:%M:%S}") for token in store.all())
    print_tables(Grid("name", "scope", "created at (UTC)", rows=rows, title=f"Tokens of {store.place}"))


def revoke(arguments: argparse.Namespace) -> None:
    """Revoke a token."""
    store = _store()
    store.revoke(arguments.name)
    print(f"revoked {arguments.name} of {store.place}")


def _store() -> TokenStore:
    """Return where the tokens are by the settings."""
    settings = load_settings()
    if settings.database_url is None:
        _check_named(settings)
    check_is_directory(settings.data_dir.absolute())
    if settings.database_url is not None:
        _tell_of_file(settings)
    return token_store(settings)


def _tell_of_file(settings: Settings) -> None:
    """Tell of a file that the next start adopts. It may be out of this user's sight, whom it does not concern then."""
    with suppress(StorageUnavailable):
        if TokenFile(settings.data_dir).is_there():
            why = f"the tokens in {settings.data_dir.absolute()} are not in the database until the service is started"
            print(f"job-recovery: {why}", file=sys.stderr)


def _check_named(settings: Settings) -> None:
    """Check that the settings name the data directory, which may not be there yet.

    Raises:
        NotFound: they do not name it, and there is none of the default name in the working directory.

    """
    data_dir = settings.data_dir.absolute()
    if "data_dir" not in settings.model_fields_set and not data_dir.is_dir():
        raise NotFound(f"there is no data directory {data_dir}: set JOB_RECOVERY_DATA_DIR to that of the service")
