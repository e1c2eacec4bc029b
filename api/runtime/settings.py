"""The settings: environment variables with the prefix `JOB_RECOVERY_`, or a TOML file. Durations are in seconds.

The file is `JOB_RECOVERY_CONFIG`, or `job-recovery.toml` in the working directory. The environment has priority. A
client command reads no file of the working directory, because that file could redirect the token.
"""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from api.runtime.setting_values import (
    DEFAULT_VMA,
    PREFIX,
    Number,
    Pause,
    PositiveSeconds,
    Seconds,
    base_address,
    database,
    decoded_vmas,
    further_vmas,
    not_empty,
    percentage,
    read_model,
    schema_name,
)
from domain.errors import InvalidInput
from domain.recovery_policy import Policy

NOT_SETTINGS = ("config", "token", "install", "test_postgres", "test_mariadb")
"""Other variables with the prefix: settings file, a token of a client, consent to install, servers for the tests."""

LONGEST_PAUSE = 300.0
"""Seconds; longer than any pause between two probes of a job in a healthy service."""

_POLICY = Policy()


class Settings(BaseSettings):
    """The settings of the service."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    file_here: ClassVar[str | None] = "job-recovery.toml"

    host: Annotated[str, BeforeValidator(not_empty)] = "127.0.0.1"
    port: Annotated[int, Number, Field(ge=0, le=65535)] = 8082
    auth: Literal["none", "tokens"] | None = None
    data_dir: Annotated[Path, BeforeValidator(not_empty)] = Path("job-recovery-data")
    vma_url: Annotated[str, AfterValidator(base_address)] = "http://localhost:9081"
    vmas: Annotated[dict[str, str], NoDecode, BeforeValidator(decoded_vmas), AfterValidator(further_vmas)] = Field(
        default_factory=dict
    )
    vma_ca_file: Annotated[Path, BeforeValidator(not_empty)] | None = None
    poll_interval: Pause = 5.0
    probe_timeout: Pause = 5.0
    probe_concurrency: Annotated[int, Number, Field(ge=1, le=1000)] = 64
    unreachable_timeout: Seconds = _POLICY.unreachable_timeout
    unreachable_grace: Seconds = _POLICY.unreachable_grace
    complete_above_percent: Annotated[float, Number, Field(ge=0, le=100), AfterValidator(percentage)] = (
        _POLICY.complete_above_percent
    )
    startup_grace: Seconds = _POLICY.startup_grace
    confirmation_window: Seconds = _POLICY.confirmation_window
    confirmation_probes: Annotated[int, Number, Field(ge=2, le=100)] = _POLICY.confirmation_probes
    completion_window: Seconds = _POLICY.completion_window
    attention_after: Seconds = _POLICY.attention_after
    retry_backoff_initial: Pause = 5.0
    retry_backoff_max: Pause = 60.0
    stale_after: PositiveSeconds = 30.0
    stalled_after: PositiveSeconds = 900.0
    reconcile_for: Seconds = 86400.0
    database_url: Annotated[SecretStr, AfterValidator(database)] | None = None
    read_model_url: Annotated[SecretStr, AfterValidator(read_model)] | None = None
    instance_url: Annotated[str, AfterValidator(base_address)] | None = None
    database_schema: Annotated[str, AfterValidator(schema_name)] = "job_recovery"
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA"] = "FULL"
    rate_limit: Annotated[float, Number, Field(ge=0, allow_inf_nan=False)] = 200.0
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
    if name in Settings.model_fields:
        return f"in the settings file this is {name}, without {PREFIX}"
    near = get_close_matches(name, Settings.model_fields, 1)
    return "there is no such setting" + (f": did you mean {PREFIX}{near[0].upper()}?" if near else "")


def _message(problem: Any) -> str:  # noqa: ANN401 - pydantic's form of an error
    """Return a message that names the setting, never its value: an invalid address may contain a password."""
    name = str(problem["loc"][0]).lower().removeprefix(PREFIX.lower())
    what = _no_such_setting(name) if problem["type"] == "extra_forbidden" else problem["msg"]
    return f"{PREFIX}{name}".upper() + f": {what.removeprefix('Value error, ')}"
