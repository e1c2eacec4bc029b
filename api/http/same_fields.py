"""Views that have the fields of what they show, by name."""

from functools import cache
from typing import TypeVar

from pydantic import BaseModel

V = TypeVar("V", bound=BaseModel)


def view_of(kind: type[V], source: object, **computed: object) -> V:
    """Return a view with the fields of `source` that it has by name, and with the computed ones."""
    kind_of_source: type = type(source)
    same = {name: getattr(source, name) for name in _shared(kind, kind_of_source)}
    return kind.model_validate(same | computed, from_attributes=True)


@cache
def _shared(kind: type[BaseModel], source: type) -> tuple[str, ...]:
    """Return the fields of a view that a class has by name. Not asked for each view: a page of jobs has thousands."""
    return tuple(name for name in kind.model_fields if hasattr(source, name))
