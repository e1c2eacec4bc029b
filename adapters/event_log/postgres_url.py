"""The address of a PostgreSQL database, in a form of libpq. It contains a password: no message may quote it."""

import re
from collections.abc import Mapping

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

SCHEMES = ("postgresql://", "postgres://")
_URL = re.compile(r"[a-z]+://([^/?#@]*@)?[^@]*")
"""Reserved characters of a password that are not encoded would put part of it in the place of the host."""

_PORTS = re.compile(r"\d{0,5}(,\d{0,5})*", re.ASCII)

FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
ENCODE = (
    "in USER and PASSWORD, write % as %25, @ as %40, / as %2F, ? as %3F, # as %23, : as %3A and a blank as %20; "
    "or keep the password in a file (PGPASSFILE)"
)

Parameters = Mapping[str, str]
"""Connection parameters of libpq by name."""


def parameters_of(url: str) -> Parameters:
    """Return the connection parameters of a URL, or of libpq's `name=value` form.

    Raises:
        ValueError: it is neither. The message contains nothing of it.

    """
    if "://" in url and not (url.startswith(SCHEMES) and _URL.fullmatch(url)):
        raise ValueError(f"It is not of the form {FORM}: {ENCODE}")
    try:
        found = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except (ProgrammingError, UnicodeError):
        raise ValueError(f"libpq cannot read it as {FORM}, or as name=value: {ENCODE}") from None
    if not found or not _PORTS.fullmatch(found.get("port", "")) or "\0" in url:
        raise ValueError(f"It is not of the form {FORM}: {ENCODE}")
    return found


def place_of(parameters: Parameters, schema: str) -> str:
    """Return the name of a log for messages, without user and password."""
    host = parameters.get("host") or parameters.get("hostaddr") or "the local socket"
    port = f":{parameters['port']}" if "port" in parameters else ""
    database = parameters.get("dbname") or "the user's default database"
    return f"in schema {schema} of {database} at {host}{port}"
