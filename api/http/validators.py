"""Entity tags of jobs, and the conditions of a request that name them, by RFC 9110.

The tag of a response is `"VERSION.EVENT.DIGEST"`: the job's version; a digest that identifies its last event, because a
log that has gone back gives a version out again; and a digest of all bytes of the response, because live figures and
hindsight change without a new version.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Header, Response, status
from pydantic import WithJsonSchema

from api.http.event_ids import digest_of
from api.http.schemas.present import JobView
from api.runtime.errors import MalformedCondition
from domain.aggregate import Aggregate

DIGEST_BYTES = 8

_ENTITY_TAG = re.compile(r'(?P<weak>W/)?(?P<opaque>"[\x21\x23-\x7e\x80-\xff]*")')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)*")
_OWN_TAG = re.compile(r'"(?P<state>[1-9][0-9]{0,15}\.[0-9a-f]{8})\.[0-9a-f]{16}"')

HEADERS: dict[str, Any] = {
    "ETag": {"description": 'A strong tag of this response, `"VERSION.EVENT.DIGEST"`.', "schema": {"type": "string"}}
}
"""For the OpenAPI document."""

_Tags = Annotated[
    list[str] | None,
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": "string", "pattern": '^(W/)?"[!#-~]*"$'}}),
]

IfMatch = Annotated[
    _Tags,
    Header(
        description="Only if the job has the version and the last event of one of these `ETag`s, such as "
        '`"7.1a2b3c4d.0f1e2d3c4b5a6978"`; otherwise 412. `*` is any. A weak tag, `W/…`, never matches.'
    ),
]
IfNoneMatch = Annotated[
    _Tags, Header(description="304 if the response has one of these `ETag`s. `*` is any. `W/` makes no difference.")
]


class Condition(msgspec.Struct, frozen=True):
    """The tags of a condition, without the mark of a weak one. `anything`: it is `*`."""

    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    anything: bool = False

    def names(self, etag: str) -> bool:
        """Return whether a tag is named, by the weak comparison."""
        return self.anything or etag in self.strong | self.weak

    def holds_for(self, job: Aggregate) -> bool:
        """Return whether a job is as one of the strong tags says.

        A change of live figures is no change of the job, so the digest of the response does not count here.
        """
        own = (tag["state"] for tag in map(_OWN_TAG.fullmatch, self.strong) if tag)
        return self.anything or state_of(job) in own

    def names_weakly(self, job: Aggregate) -> bool:
        """Return whether a weak tag is of a job as it is. Such a tag never matches."""
        return state_of(job) in {tag["state"] for tag in map(_OWN_TAG.fullmatch, self.weak) if tag}


def condition(name: str, lines: Sequence[str] | None) -> Condition | None:
    """Return the condition in all lines of a header; None if the request has no such header.

    Raises:
        MalformedCondition: something in it is not an entity tag.

    """
    if lines is None:
        return None
    text = ", ".join(lines)
    if text.strip() == "*":
        return Condition(anything=True)
    tags = _tags(name, text)
    return Condition(
        frozenset(tag["opaque"] for tag in tags if not tag["weak"]),
        frozenset(tag["opaque"] for tag in tags if tag["weak"]),
    )


def _tags(name: str, text: str) -> list[re.Match[str]]:
    """Read a list of tags. A comma may be part of a tag, and an element may be empty."""
    tags: list[re.Match[str]] = []
    at = _end(_SEPARATOR.match(text))
    while at < len(text):
        tag = _ENTITY_TAG.match(text, at)
        between = _SEPARATOR.match(text, _end(tag)) if tag else None
        if tag is None or between is None or not (between.end() == len(text) or "," in between[0]):
            raise MalformedCondition(name, text[at:])
        tags.append(tag)
        at = between.end()
    if not tags:
        raise MalformedCondition(name, text)
    return tags


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def tagged(state: str, view: JobView, unless: Condition | None = None) -> Response:
    """Return the view of a job in a state as a response with its tag; 304, without the view, if `unless` names it."""
    body = msgspec.json.encode(view)
    digest = hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest()
    headers = {"ETag": f'"{state}.{digest}"'}
    if unless is not None and unless.names(headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def state_of(job: Aggregate) -> str:
    """Return what a tag says of a job's state: its version, and the digest of its last event."""
    return f"{job.version}.{digest_of(job.last_event)}"
