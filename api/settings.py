"""The settings: environment variables with the prefix `JOB_RECOVERY_`, or a TOML file. Durations in seconds.

The file is `job-recovery.toml` in the working directory, or what `JOB_RECOVERY_CONFIG` names; the environment wins.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, TypeAdapter, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from domain.errors import InvalidInput
from domain.plain_text import redacted
from domain.recovery_policy import Policy

PREFIX = "JOB_RECOVERY_"
DEFAULT_VMA = "default"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Url = Annotated[str, Field(min_length=1)]

_URL = TypeAdapter(HttpUrl)


def _base_address(url: str) -> str:
    """Return an address that paths can be added to.

    Raises:
        ValueError: it is none.

    """
    parts = _URL.validate_python(url)
    if parts.query is not None or parts.fragment is not None:
        raise ValueError("The address of a VMA has no query and no fragment")
    return url


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8082
    data_dir: Path = Path("job-recovery-data")
    vma_url: Url = "http://localhost:9081"
    vmas: dict[str, Url] = Field(default_factory=dict)
    poll_interval: PositiveSeconds = 5.0
    probe_timeout: PositiveSeconds = 5.0
    probe_concurrency: Annotated[int, Field(ge=1, le=1000)] = 64
    unreachable_timeout: Seconds = 1800.0
    complete_above_percent: Annotated[float, Field(ge=0, le=100)] = 90.0
    startup_grace: Seconds = 300.0
    confirmation_window: Seconds = 15.0
    confirmation_probes: Annotated[int, Field(ge=1, le=100)] = 3
    retry_backoff_initial: PositiveSeconds = 5.0
    retry_backoff_max: PositiveSeconds = 60.0
    stale_after: PositiveSeconds = 30.0
    stalled_after: PositiveSeconds = 900.0
    reconcile_for: Seconds = 86400.0
    sqlite_synchronous: Literal["FULL", "NORMAL", "EXTRA"] = "FULL"
    rate_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 200.0
    log_format: Literal["auto", "json", "human"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("vma_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        return _base_address(url)

    @field_validator("vmas")
    @classmethod
    def _are_urls(cls, vmas: dict[str, str]) -> dict[str, str]:
        return {name: _base_address(url) for name, url in vmas.items()}

    @property
    def vma_urls(self) -> dict[str, str]:
        """Every VMA by name; `default` is the one that a job without a VMA's name belongs to."""
        return {DEFAULT_VMA: self.vma_url, **self.vmas}

    @property
    def policy(self) -> Policy:
        """The numbers of the decision table."""
        return Policy(
            complete_above_percent=self.complete_above_percent,
            unreachable_timeout=self.unreachable_timeout,
            startup_grace=self.startup_grace,
            confirmation_window=self.confirmation_window,
            confirmation_probes=self.confirmation_probes,
        )

    @property
    def circuit_rest(self) -> float:
        """Seconds between two pilots to a VMA that is down: each probe of a confirmation gets a fresh one."""
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
        file = Path(os.environ.get(f"{PREFIX}CONFIG", "job-recovery.toml"))
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file))


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        InvalidInput: a value is wrong; the message is one line that names it.

    """
    config = os.environ.get(f"{PREFIX}CONFIG")
    if config and not Path(config).is_file():
        raise InvalidInput(f"{PREFIX}CONFIG: there is no file {config}")
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidInput("; ".join(_in_words(problem) for problem in error.errors())) from None
    except ValueError as error:
        raise InvalidInput(f"the settings cannot be read: {error}") from None


def _in_words(problem: object) -> str:
    assert isinstance(problem, dict)  # noqa: S101 - pydantic's own form of an error
    name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
    return f"{name}: {problem['msg']}, not {redacted(str(problem['input']))[:80]!r}"
