"""Streams: the kind of aggregate that an event belongs to, and the ids that a job cannot have.

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

FOLD_ERRORS = (AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What the folding of an event raises that contradicts the earlier events of its stream."""


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


def fold_event(kind: type[TAggregate], aggregate: TAggregate | None, event: Event) -> TAggregate:
    """Return the aggregate after an event; the given one does not change.

    Raises:
        Inapplicable: the stream is of another kind, or the event contradicts the earlier ones.

    """
    try:
        folded = kind.fold(copy(aggregate), (event,))
    except FOLD_ERRORS as error:
        raise Inapplicable(f"{type(error).__name__}: {error}") from error
    if folded is None:
        raise Inapplicable(f"it belongs to a {kind.kind}, and the stream {event.originator_id} is of another kind")
    return folded


def check_job_id(job_id: str) -> None:
    """Check that a new job can have the id.

    Raises:
        InvalidInput: a run or the stream of a VM context has, or could have, this id.

    """
    if _RESERVED.fullmatch(job_id):
        raise InvalidInput(
            f"job_id: {job_id} is reserved: a job's id cannot begin with {VMContext.PREFIX!r}, or be of the form of a "
            "recovery run's"
        )
