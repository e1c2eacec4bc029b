"""Schemas of the live stream, which the framework does not describe: each event has an id, a name and data."""

from typing import Any

from pydantic import BaseModel, Field

from projections.queries.audit_entry import AuditEntry


class StreamReset(BaseModel):
    """Data of the event `reset`: the log does not have the event that the client received last."""

    position: int = Field(description="The stream goes on after this position.")
    why: str


class StreamedEvent(BaseModel):
    """One event of the stream."""

    id: str = Field(description="The event's position in the log and a digest of it; for `Last-Event-ID`.")
    event: str = Field(description="The type of the stored event, or `reset`.")
    data: AuditEntry | StreamReset = Field(description="As JSON. For `reset`: where the stream goes on, and why.")


MEDIA: dict[str, Any] = {
    "schema": {
        "type": "string",
        "contentMediaType": "text/event-stream",
        "contentSchema": {"type": "array", "items": {"$ref": "#/components/schemas/StreamedEvent"}},
    }
}
"""The response in the OpenAPI document: a text in which each event is a `StreamedEvent`."""


def describe_stream(document: dict[str, Any]) -> None:
    """Add the schemas of the stream to an OpenAPI document, which has those of the audit trail."""
    event = StreamedEvent.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    schemas["StreamReset"] = event.pop("$defs")["StreamReset"]
    schemas["StreamedEvent"] = event
    content = document["paths"]["/api/v1/events/stream"]["get"]["responses"]["200"]["content"]
    for media in content.values():
        # The framework adds a field of OpenAPI 3.2, which the document's version does not have.
        media.pop("itemSchema", None)
