"""Views that have the fields of what they show, by name."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

V = TypeVar("V")


def view_of(kind: Callable[..., V], source: object, **computed: object) -> V:
    """Return a view with the fields of `source` that it has by name, and with the computed ones.

    Its values are not validated: they are the service's own.
    """
    kind_of_source: type = type(source)
    names, values_of = _shared(kind, kind_of_source)
    return kind(**(dict(zip(names, values_of(source), strict=True)) | computed))


@cache
def _shared(kind: Any, source: type) -> tuple[tuple[str, ...], Callable[[object], Any]]:  # noqa: ANN401 - a class
    """Return the fields of a view that a class has by name, and what reads them: a page of jobs has thousands."""
    names = tuple(field.name for field in fields(kind) if hasattr(source, field.name))
    return names, attrgetter(*names)
