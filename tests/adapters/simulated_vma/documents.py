"""Reads the documents of a world."""

from typing import Any

from adapters.simulated_vma.document_fields import DocumentFields, fields_of
from adapters.simulated_vma.world import World

EXPORT = "migration-vol-a"


def document_of(world: World, asked_id: str = EXPORT) -> dict[str, Any]:
    """Return the document of an id that the VMA knows."""
    document = world.progress_of(asked_id)
    assert document is not None, f"the VMA does not know {asked_id}"
    return document


def stated(world: World, asked_id: str = EXPORT) -> DocumentFields:
    """Return the fields of the document of an id that the VMA knows."""
    return fields_of(document_of(world, asked_id))


def percent(world: World, asked_id: str = EXPORT) -> float:
    """Return the percentage of an id that the VMA knows, to two decimals."""
    figure = stated(world, asked_id).percent
    assert figure is not None
    return round(figure, 2)


def without_updates(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without the times that every GET refreshes."""
    timing = {name: value for name, value in document["timing"].items() if name != "last_update"}
    return {**document, "timing": timing, "throughput": None}
