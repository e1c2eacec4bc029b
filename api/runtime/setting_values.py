"""The forms of the settings' values.

Each function returns the value that it checks. Its message contains nothing of an address, which may have a password.
"""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, TypeAdapter, ValidationError

from adapters.identifiers import is_plain_name

PREFIX = "JOB_RECOVERY_"
DEFAULT_VMA = "default"

EXAMPLE = '{"dc2": "http://localhost:9082"}'
"""A value of `VMAS`."""

HOUR = 3600.0
TEN_YEARS = 10 * 365 * 86400.0
"""Maximum duration, so that date arithmetic cannot overflow."""


def not_boolean(value: object) -> object:
    """Return a number.

    Raises:
        ValueError: it is `true` or `false` of a TOML file, which Python takes for 1 or 0.

    """
    if isinstance(value, bool):
        raise ValueError("It is true or false: set a number")  # noqa: TRY004 - pydantic reports no TypeError
    return value


def at_most_an_hour(seconds: float) -> float:
    """Return the seconds, after which a job is asked about again.

    Raises:
        ValueError: they are more than an hour, in which nobody would see how the job is.

    """
    if seconds > HOUR:
        raise ValueError(f"It is in seconds, and at most {HOUR:.0f}: are these milliseconds?")
    return seconds


Number = BeforeValidator(not_boolean)
Seconds = Annotated[float, Number, Field(ge=0, le=TEN_YEARS, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Number, Field(gt=0, le=TEN_YEARS, allow_inf_nan=False)]
Pause = Annotated[float, Number, Field(gt=0, allow_inf_nan=False), AfterValidator(at_most_an_hour)]
"""Seconds between two questions about a job, or in which one waits for its answer."""

_URL = TypeAdapter(HttpUrl)
_SQLITE = re.compile(r"sqlite:///[^\0]+")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_WITH_A_HOST = re.compile(r"https?://[^\s/?#][^\s?#]*", re.IGNORECASE)


def base_address(url: str) -> str:
    """Return an address to which paths can be appended.

    Raises:
        ValueError: it is not one. The message contains nothing of it, because it may have a password.

    """
    if not _WITH_A_HOST.fullmatch(url):
        raise ValueError(
            "The address of a VMA must begin with http:// or https:// and a host, and have no blanks, query or fragment"
        )
    try:
        _URL.validate_python(url)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None
    return url


def decoded_vmas(value: object) -> object:
    """Return the named VMAs of a JSON object in the environment; what a TOML file has is decoded already.

    Raises:
        ValueError: it is not JSON, or has a name twice: one VMA would be asked about the jobs of both.

    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=_with_each_name_once)
    except json.JSONDecodeError:
        raise ValueError(f"it is not JSON, such as {EXAMPLE}") from None


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            # Anything else may be an address with a password, in the wrong place.
            shown = repr(name) if is_plain_name(name) else "a name"
            raise ValueError(f"It has {shown} twice: give each VMA a name of its own")
        found[name] = value
    return found


def further_vmas(vmas: dict[str, str]) -> dict[str, str]:
    """Return the addresses of the named VMAs.

    Raises:
        ValueError: a name is invalid or that of `VMA_URL`, or an address is invalid.

    """
    for name, url in vmas.items():
        if name == DEFAULT_VMA:
            raise ValueError(f"The name {DEFAULT_VMA!r} is that of {PREFIX}VMA_URL: set its address there")
        if not is_plain_name(name):
            raise ValueError(
                "A VMA's name must be short, begin with a letter or digit, and have only letters, digits and . _ : -"
            )
        try:
            base_address(url)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return vmas


def not_empty(value: object) -> object:
    """Return a path or a host.

    Raises:
        ValueError: it is empty. As a path, that would be the working directory.

    """
    if isinstance(value, str) and not value.strip():
        raise ValueError("It is empty: set a value, or unset it")
    return value


def percentage(value: float) -> float:
    """Return a percentage.

    Raises:
        ValueError: it was probably meant as a share of 1: almost every job that is gone would count as complete.

    """
    if 0 < value <= 1:
        raise ValueError(f"It is a percentage, such as 90, and not a share: for {100 * value:g} %, set {100 * value:g}")
    return value


def database(url: SecretStr) -> SecretStr:
    """Return the address of a database.

    Raises:
        ValueError: it is not one. The message contains nothing of it, because it may have a password.

    """
    # Importing psycopg is slow, and most services have no such setting.
    from adapters.event_log.postgres_url import parameters_of  # noqa: PLC0415

    parameters_of(url.get_secret_value())
    return url


def read_model(url: SecretStr) -> SecretStr:
    """Return the address of a read model.

    Raises:
        ValueError: it is not one. The message contains nothing of it, because it may have a password.

    """
    text = url.get_secret_value()
    if text.startswith("mariadb:"):
        # Most services have no such setting.
        from projections.read_model.mariadb import server_of  # noqa: PLC0415

        server_of(text)
    elif text.startswith("sqlite:"):
        if not _SQLITE.fullmatch(text):
            raise ValueError("An address of SQLite is sqlite:/// and a path")
    elif not text.startswith(("postgresql:", "postgres:")):
        raise ValueError("It does not begin with postgresql://, mariadb:// or sqlite:///")
    else:
        database(url)
    return url


def schema_name(name: str) -> str:
    """Return the name of a schema that needs no quotes.

    Raises:
        ValueError: it is not one.

    """
    if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
        raise ValueError("A schema's name begins with a small letter, and has small letters, digits and _; at most 63")
    return name
