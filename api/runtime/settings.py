"""The settings: environment variables with the prefix `JOB_RECOVERY_`, or a TOML file. Durations are in seconds.

The file is `JOB_RECOVERY_CONFIG`, or `job-recovery.toml` in the working directory. The environment has priority. A
client command reads no file of the working directory, because that file could redirect the token.
"""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from adapters.identifiers import is_plain_name
from domain.errors import InvalidInput
from domain.recovery_policy import Policy

PREFIX = "JOB_RECOVERY_"
DEFAULT_VMA = "default"
EXAMPLE = '{"dc2": "http://localhost:9082"}'
"""A value of `VMAS`."""

NOT_SETTINGS = ("config", "token", "install", "test_postgres", "test_mariadb")
"""Other variables with the prefix: settings file, a token of a client, consent to install, servers for the tests."""

TEN_YEARS = 10 * 365 * 86400.0
"""Maximum duration, so that date arithmetic cannot overflow."""

LONGEST_PAUSE = 300.0
"""Seconds; longer than any pause between two probes of a job in a healthy service."""

Seconds = Annotated[float, Field(ge=0, le=TEN_YEARS, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, le=TEN_YEARS, allow_inf_nan=False)]

_POLICY = Policy()
_URL = TypeAdapter(HttpUrl)
_SQLITE = re.compile(r"sqlite:///[^\0]+")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_WITH_A_HOST = re.compile(r"https?://[^\s/?#][^\s?#]*", re.IGNORECASE)


def _base_address(url: str) -> str:
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


def _further_vmas(vmas: dict[str, str]) -> dict[str, str]:
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
            _base_address(url)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return vmas


def _not_empty(path: Path | str) -> Path | str:
    """Return a path.

    Raises:
        ValueError: it is empty, which would be the working directory.

    """
    if path == "":
        raise ValueError("It is empty: set a directory, or unset it")
    return path


def _percentage(value: float) -> float:
    """Return a percentage.

    Raises:
        ValueError: it was probably meant as a share of 1: almost every job that is gone would count as complete.

    """
    if 0 < value <= 1:
        raise ValueError(f"It is a percentage, such as 90, and not a share: for {100 * value:g} %, set {100 * value:g}")
    return value


def _database(url: SecretStr) -> SecretStr:
    """Return the address of a database.

    Raises:
        ValueError: it is not one. The message contains nothing of it, because it may have a password.

    """
    # Importing psycopg is slow, and most services have no such setting.
    from adapters.event_log.postgres_url import parameters_of  # noqa: PLC0415

    parameters_of(url.get_secret_value())
    return url


def _read_model(url: SecretStr) -> SecretStr:
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
        _database(url)
    return url


def schema_name(name: str) -> str:
    """Return the name of a schema that needs no quotes.

    Raises:
        ValueError: it is not one.

    """
    if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
        raise ValueError("A schema's name begins with a small letter, and has small letters, digits and _; at most 63")
    return name


class Settings(BaseSettings):
    """The settings of the service."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    file_here: ClassVar[str | None] = "job-recovery.toml"

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8082
    auth: Literal["none", "tokens"] | None = None
    data_dir: Annotated[Path, BeforeValidator(_not_empty)] = Path("job-recovery-data")
    vma_url: Annotated[str, AfterValidator(_base_address)] = "http://localhost:9081"
    vmas: Annotated[dict[str, str], AfterValidator(_further_vmas)] = Field(default_factory=dict)
    vma_ca_file: Path | None = None
    poll_interval: PositiveSeconds = 5.0
    probe_timeout: PositiveSeconds = 5.0
    probe_concurrency: Annotated[int, Field(ge=1, le=1000)] = 64
    unreachable_timeout: Seconds = _POLICY.unreachable_timeout
    unreachable_grace: Seconds = _POLICY.unreachable_grace
    complete_above_percent: Annotated[float, Field(ge=0, le=100), AfterValidator(_percentage)] = (
        _POLICY.complete_above_percent
    )
    startup_grace: Seconds = _POLICY.startup_grace
    confirmation_window: Seconds = _POLICY.confirmation_window
    confirmation_probes: Annotated[int, Field(ge=2, le=100)] = _POLICY.confirmation_probes
    completion_window: Seconds = _POLICY.completion_window
    attention_after: Seconds = _POLICY.attention_after
    retry_backoff_initial: PositiveSeconds = 5.0
    retry_backoff_max: PositiveSeconds = 60.0
    stale_after: PositiveSeconds = 30.0
    stalled_after: PositiveSeconds = 900.0
    reconcile_for: Seconds = 86400.0
    database_url: Annotated[SecretStr, AfterValidator(_database)] | None = None
    read_model_url: Annotated[SecretStr, AfterValidator(_read_model)] | None = None
    database_schema: Annotated[str, AfterValidator(schema_name)] = "job_recovery"
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA"] = "FULL"
    rate_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 200.0
    log_format: Literal["auto", "json", "human"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("host", "data_dir", "vma_ca_file")
    @classmethod
    def _has_no_nul(cls, value: str | Path | None) -> str | Path | None:
        if "\0" in str(value):
            raise ValueError("It must not contain a NUL character")
        return value

    def address(self, port: int | None = None) -> str:
        """Return the address of the API, with another port if the system has chosen one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port if port is None else port}"

    @property
    def vma_urls(self) -> dict[str, str]:
        """Return the addresses of all VMAs by name; a job without a VMA belongs to `default`."""
        return {DEFAULT_VMA: self.vma_url, **self.vmas}

    @property
    def policy(self) -> Policy:
        """Return the numbers of the decision table."""
        return Policy(**{name: getattr(self, name) for name in Policy.__struct_fields__ if hasattr(self, name)})

    @property
    def unpolled_after(self) -> float:
        """Return the seconds without a poll after which a job is recovered: never at its regular pause."""
        return max(self.stale_after, 2 * self.poll_interval)

    @property
    def longest_pause(self) -> float:
        """Return the seconds without a probe of a job after which its silence restarts."""
        return max(LONGEST_PAUSE, 2 * (self.retry_backoff_max + self.poll_interval))

    @property
    def circuit_rest(self) -> float:
        """Return the seconds between two trial requests; each probe of a confirmation gets one of its own."""
        return min(self.retry_backoff_initial, self.confirmation_window / self.confirmation_probes)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the environment priority over the TOML file."""
        file = _file(cls)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file and Path(file)))


def _file(kind: type[Settings]) -> str | None:
    """Return the name of the settings file, which need not exist unless the environment names it."""
    return os.environ.get(f"{PREFIX}CONFIG", kind.file_here)


class CallerSettings(Settings):
    """The settings of a client command."""

    file_here = None


def load_settings(kind: type[Settings] = Settings) -> Settings:
    """Return the settings.

    Raises:
        InvalidInput: a value or a name is invalid; the message is one line that names the setting.

    """
    try:
        _check_config()
        _check_names()
        return kind()
    except ValidationError as error:
        raise InvalidInput("; ".join(map(_message, error.errors()))) from None
    except RecursionError:
        raise InvalidInput(f"the settings cannot be read: {PREFIX}VMAS or the TOML file is nested too deeply") from None
    except SettingsError:
        # The only setting whose value in the environment has a form.
        raise InvalidInput(f"{PREFIX}VMAS: it is not JSON, such as {EXAMPLE}") from None
    except ValueError as error:
        raise InvalidInput(f"the settings file {_file(kind)} cannot be read: {error}") from None
    except OSError as error:
        raise InvalidInput(f"the settings cannot be read: {error}") from None


def _check_config() -> None:
    config = os.environ.get(f"{PREFIX}CONFIG")
    if config and not Path(config).is_file():
        raise InvalidInput(f"{PREFIX}CONFIG: there is no file {config}")


def _check_names() -> None:
    """Refuse a misspelled setting: the service would use the default instead."""
    known = {*Settings.model_fields, *NOT_SETTINGS}
    for variable in os.environ:
        name = variable.upper().removeprefix(PREFIX).lower()
        if variable.upper().startswith(PREFIX) and name not in known:
            raise InvalidInput(f"{variable}: {_no_such_setting(name)}")


def _no_such_setting(name: str) -> str:
    near = get_close_matches(name, Settings.model_fields, 1)
    return "there is no such setting" + (f": did you mean {PREFIX}{near[0].upper()}?" if near else "")


def _message(problem: Any) -> str:  # noqa: ANN401 - pydantic's form of an error
    """Return a message that names the setting, never its value: an invalid address may contain a password."""
    name = str(problem["loc"][0])
    what = _no_such_setting(name) if problem["type"] == "extra_forbidden" else problem["msg"]
    return f"{PREFIX}{name}".upper() + f": {what.removeprefix('Value error, ')}"
