"""Route of the list of tokens. Only the command line creates and revokes them."""

from datetime import datetime

from pydantic import BaseModel

from adapters.tokens import Scope
from api.http import problems
from api.http.dependencies import TheService
from api.http.routers import api_router
from api.http.schemas.present import Page

router = api_router("access")


class TokenView(BaseModel):
    """A token without its secret."""

    name: str
    scope: Scope
    created_at: datetime


@router.get("/tokens", responses=problems.responses(503))
async def list_tokens(service: TheService) -> Page[TokenView]:
    """List the tokens. Needs the scope `admin`."""
    return Page[TokenView].model_validate({"items": service.access.tokens.all()}, from_attributes=True)
