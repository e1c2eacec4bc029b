"""Routes that tell a client who it is, and how the service is set up."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field

from adapters.plain_text import redacted
from adapters.tokens import Scope
from api.http import problems
from api.http.dependencies import TheService
from api.http.guard import caller_of
from api.http.routers import api_router
from api.http.schemas.present import Page
from api.runtime.setting_values import PREFIX
from api.runtime.settings import Settings

router = api_router("access")


class SessionView(BaseModel):
    """The caller, by the token of its request. The name is the actor of its commands."""

    name: str
    scope: Scope
    tokens_required: bool = Field(description="Without it, every caller has the scope `admin` and sends no token.")


class SettingView(BaseModel):
    """One setting. Users, passwords and tokens in it are masked."""

    name: str = Field(examples=["JOB_RECOVERY_POLL_INTERVAL"])
    value: Any
    default: Any
    is_default: bool


@router.get("/session", responses=problems.responses(503))
async def get_session(request: Request, service: TheService) -> SessionView:
    """Return who the caller is, and what its token allows."""
    caller = caller_of(request)
    return SessionView(name=caller.name, scope=caller.scope, tokens_required=not service.access.is_open)


@router.get("/settings", responses=problems.responses(503))
async def list_settings(service: TheService) -> Page[SettingView]:
    """List all settings of this process, with their defaults."""
    now, default = (settings.model_dump(mode="json") for settings in (service.settings, _defaults()))
    return Page[SettingView](
        items=[
            SettingView(
                name=f"{PREFIX}{name.upper()}",
                value=_masked(value),
                default=default[name],
                is_default=value == default[name],
            )
            for name, value in now.items()
        ]
    )


def _defaults() -> Settings:
    """Return the settings without any source."""
    fields = Settings.model_fields.items()
    return Settings.model_construct(**{name: field.get_default(call_default_factory=True) for name, field in fields})


def _masked(value: object) -> object:
    """Return a value without secrets."""
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    return redacted(value) if isinstance(value, str) else value
