"""The settings: environment variables with the prefix `JOB_RECOVERY_`, or a TOML file. Durations in seconds.

The file is `job-recovery.toml` in the working directory, or what `JOB_RECOVERY_CONFIG` names; the environment wins.
A command that asks a service reads no file of the working directory: that file could say where the token is sent.
"""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, HttpUrl, TypeAdapter, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from adapters.identifiers import is_plain_name
from domain.errors import InvalidInput
from domain.recovery_policy import Policy

PREFIX = "JOB_RECOVERY_"
DEFAULT_VMA = "default"

NOT_SETTINGS = ("config", "token", "install")
"""Other variables with the prefix: they name the settings file, carry a client's token, and allow the installation."""

TEN_YEARS = 10 * 365 * 86400.0
"""The longest duration: a date so far away can still be reckoned with."""

LONGEST_PAUSE = 300.0
"""Seconds; longer than a healthy service ever leaves a job unasked."""

Seconds = Annotated[float, Field(ge=0, le=TEN_YEARS, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, le=TEN_YEARS, allow_inf_nan=False)]

_POLICY = Policy()
_URL = TypeAdapter(HttpUrl)
_WITH_A_HOST = re.compile(r"https?://[^\s/?#][^\s?#]*", re.IGNORECASE)


def _base_address(url: str) -> str:
    """Return an address that paths can be added to.

    Raises:
        ValueError: it is none; the message holds nothing of it.

    """
    if not _WITH_A_HOST.fullmatch(url):
        raise ValueError(
            "The address of a VMA begins with http:// or https:// and a host, and has no blanks, query or fragment"
        )
    try:
        _URL.validate_python(url)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None
    return url


def _further_vmas(vmas: dict[str, str]) -> dict[str, str]:
    """Return the addresses of the VMAs that have names of their own.

    Raises:
        ValueError: no job can name one, its name is that of `VMA_URL`, or its address is none.

    """
    for name, url in vmas.items():
        if name == DEFAULT_VMA:
            raise ValueError(f"The VMA named {DEFAULT_VMA!r} is that of {PREFIX}VMA_URL: set its address there")
        if not is_plain_name(name):
            raise ValueError(
                "A VMA's name has letters, digits and . _ : - only, begins with a letter or digit, and is short"
            )
        try:
            _base_address(url)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return vmas


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    file_here: ClassVar[str | None] = "job-recovery.toml"

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8082
    auth: Literal["none", "tokens"] | None = None
    data_dir: Path = Path("job-recovery-data")
    vma_url: Annotated[str, AfterValidator(_base_address)] = "http://localhost:9081"
    vmas: Annotated[dict[str, str], AfterValidator(_further_vmas)] = Field(default_factory=dict)
    vma_ca_file: Path | None = None
    poll_interval: PositiveSeconds = 5.0
    probe_timeout: PositiveSeconds = 5.0
    probe_concurrency: Annotated[int, Field(ge=1, le=1000)] = 64
    unreachable_timeout: Seconds = _POLICY.unreachable_timeout
    unreachable_grace: Seconds = _POLICY.unreachable_grace
    complete_above_percent: Annotated[float, Field(ge=0, le=100)] = _POLICY.complete_above_percent
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
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA"] = "FULL"
    rate_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 200.0
    log_format: Literal["auto", "json", "human"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("host", "data_dir", "vma_ca_file")
    @classmethod
    def _has_no_nul(cls, value: str | Path | None) -> str | Path | None:
        if "\0" in str(value):
            raise ValueError("It holds a NUL character")
        return value

    @property
    def vma_urls(self) -> dict[str, str]:
        """Every VMA by name; `default` is the one that a job without a VMA's name belongs to."""
        return {DEFAULT_VMA: self.vma_url, **self.vmas}

    @property
    def policy(self) -> Policy:
        """The numbers of the decision table."""
        return Policy(**{name: getattr(self, name) for name in Policy.__struct_fields__ if hasattr(self, name)})

    @property
    def longest_pause(self) -> float:
        """Seconds without a question about a job after which its silence is counted anew."""
        return max(LONGEST_PAUSE, 2 * (self.retry_backoff_max + self.poll_interval))

    @property
    def circuit_rest(self) -> float:
        """Seconds between two trial requests to a VMA that is down: each probe of a confirmation gets a fresh one."""
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
        """Read the environment first, then the TOML file."""
        file = os.environ.get(f"{PREFIX}CONFIG", cls.file_here)
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file and Path(file)))


class CallerSettings(Settings):
    """The settings of a command that asks a service."""

    file_here = None


def load_settings(kind: type[Settings] = Settings) -> Settings:
    """Read the settings.

    Raises:
        InvalidInput: a value is wrong; the message is one line that names it.

    """
    try:
        _check_config()
        _check_names()
        return kind()
    except ValidationError as error:
        raise InvalidInput("; ".join(_in_words(problem) for problem in error.errors())) from None
    except RecursionError:
        raise InvalidInput(f"the settings cannot be read: {PREFIX}VMAS or the TOML file is nested too deeply") from None
    except (ValueError, OSError) as error:
        raise InvalidInput(f"the settings cannot be read: {error}") from None


def _check_config() -> None:
    config = os.environ.get(f"{PREFIX}CONFIG")
    if config and not Path(config).is_file():
        raise InvalidInput(f"{PREFIX}CONFIG: there is no file {config}")


def _check_names() -> None:
    """Refuse a misspelled setting: without it, the service would run with a default that nobody asked for."""
    known = {*Settings.model_fields, *NOT_SETTINGS}
    for variable in os.environ:
        name = variable.upper().removeprefix(PREFIX).lower()
        if variable.upper().startswith(PREFIX) and name not in known:
            raise InvalidInput(f"{variable}: {_no_such_setting(name)}")


def _no_such_setting(name: str) -> str:
    near = get_close_matches(name, Settings.model_fields, 1)
    return "there is no such setting" + (f": did you mean {PREFIX}{near[0].upper()}?" if near else "")


def _in_words(problem: Any) -> str:  # noqa: ANN401 - pydantic's own form of an error
    """Name the setting, never its value: in an address that is none, a password cannot be told from the rest."""
    name = str(problem["loc"][0])
    what = _no_such_setting(name) if problem["type"] == "extra_forbidden" else problem["msg"]
    return f"{PREFIX}{name}".upper() + f": {what.removeprefix('Value error, ')}"
