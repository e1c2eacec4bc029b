"""Streams: which kind of aggregate an event belongs to, and which ids a job may not have.

All aggregates share one namespace of stream ids. A job's id is chosen by a client, so it must not name the stream of a
run or of a VM context.
"""

import re
from copy import copy
from typing import TypeVar

from domain.aggregate import Aggregate
from domain.errors import InvalidInput
from domain.events import (
    Event,
    JobAdmitted,
    JobReleased,
    RecoveryRunFinished,
    RecoveryRunInterrupted,
    RecoveryRunStarted,
)
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext

TAggregate = TypeVar("TAggregate", bound=Aggregate)

_RESERVED = re.compile(rf"{VMContext.PREFIX}.*|{RecoveryRun.ID_PATTERN}", re.DOTALL)


CONTRADICTIONS = (AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What folding an event raises that contradicts what its stream can hold."""


class Inapplicable(Exception):
    """An event cannot be applied to its stream."""


def kind_of(event: Event) -> type[Aggregate]:
    """Return the kind of aggregate that the event belongs to."""
    match event:
        case JobAdmitted() | JobReleased():
            return VMContext
        case RecoveryRunStarted() | RecoveryRunFinished() | RecoveryRunInterrupted():
            return RecoveryRun
        case _:
            return ReplicationJob


def after(kind: type[TAggregate], aggregate: TAggregate | None, event: Event) -> TAggregate:
    """Return the aggregate after an event; the one before it stays as it was.

    Raises:
        Inapplicable: the stream is one of another kind, or the event contradicts what it can hold.

    """
    try:
        folded = kind.fold(copy(aggregate), (event,))
    except CONTRADICTIONS as error:
        raise Inapplicable(f"{type(error).__name__}: {error}") from error
    if folded is None:
        raise Inapplicable(f"it is about a {kind.kind}, and the stream {event.originator_id} is none")
    return folded


def check_job_id(job_id: str) -> None:
    """See that an id can be a new job's.

    Raises:
        InvalidInput: it names, or could name, a run or the stream of a VM context.

    """
    if _RESERVED.fullmatch(job_id):
        raise InvalidInput(
            f"job_id: {job_id} is reserved: ids that begin with {VMContext.PREFIX!r}, and those of recovery runs, "
            "cannot be a job's"
        )
