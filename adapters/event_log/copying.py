"""Copies a log to another place: each event with its position, and each seal, as they are.

A block is some whole transactions of the source, checked against their seals, and becomes one transaction of the
target. So the target ends with a seal of the source, wherever a copy was killed, and the next copy continues after it.
Snapshots are not copied: they are derived.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from adapters.event_log.database_errors import DATABASE_ERRORS
from adapters.event_log.seals import Broken, Chain, Seal
from adapters.event_log.stored_log import Row, SealRow, StoredLog
from domain.errors import InvalidInput, StorageUnavailable

BLOCK = 1000
"""Positions that are copied in one transaction, and are in memory at once."""

RESUME = "Correct this, and run the same command again: it continues where it was"


class Block(msgspec.Struct, frozen=True):
    """Whole transactions of a log."""

    events: list[Row]
    seals: list[SealRow]


class Source(Protocol):
    """The log that is read. It may be served meanwhile; reading blocks no writer."""

    @property
    def place(self) -> str:
        """Return its name for messages."""

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""

    def seal_at(self, position: int) -> Seal:
        """Return the last seal that begins at a position or before."""

    def block(self, after: int, size: int) -> Block:
        """Return the transactions that begin in the next `size` positions after a seal; empty at the end of the log."""


class Target(Protocol):
    """The log that is written. Nobody else may write it meanwhile."""

    @property
    def place(self) -> str:
        """Return its name for messages."""

    def head(self) -> int:
        """Return the position of the last event; 0 if there is none."""

    def last_seal(self) -> Seal:
        """Return the seal of the whole log."""

    def begin(self, source: str) -> None:
        """Mark the log as an unfinished copy, which no service opens."""

    def append(self, block: Block) -> None:
        """Store a block in one transaction."""

    def finish(self) -> None:
        """Remove the mark."""


def copy(source: Source, target: Target, tell: Callable[[int], None], *, block_size: int = BLOCK) -> Seal:
    """Copy what the target lacks; return its last seal.

    The end is a block that is not full. So copying from a log that grows meanwhile ends, too.

    Args:
        source: where to copy from.
        target: where to copy to. It stays marked as unfinished until `finish` is called.
        tell: called with the position up to which the target is complete.
        block_size: positions of one block. The transaction that has the last of them may make it longer.

    Raises:
        InvalidInput: the target has events that the source has not.
        StorageUnavailable: one of the two cannot be used now, or a block differs from its seals.

    """
    chain = Chain(_common_end(source, target))
    _write(target, lambda: target.begin(source.place))
    while (block := _read(source, chain, block_size)).seals:
        _write(target, partial(target.append, block))
        tell(chain.last.position)
        if len(block.events) < block_size:
            break
    return chain.last


def refuse_unfinished(log: StoredLog, place: str) -> None:
    """Refuse a log that lacks events of the log that it is copied from.

    Raises:
        StorageUnavailable: it is an unfinished copy.

    """
    if (source := log.copied_from()) is not None:
        raise StorageUnavailable(
            f"the event log {place} is an unfinished copy of {source}: run `job-recovery copy` again. "
            "If that log is lost, copy from this one to a new place, and use the new one"
        )


def _common_end(source: Source, target: Target) -> Seal:
    """Return the last seal of the target, if it is one of the source."""
    try:
        ours = target.last_seal()
        if target.head() != ours.position:
            raise InvalidInput(f"the event log {target.place} has events without a seal: it is not a copy")
    except DATABASE_ERRORS as error:
        raise StorageUnavailable(f"the event log {target.place} cannot be read: {error}") from error
    try:
        if ours.position and source.seal_at(ours.position) != ours:
            raise _difference(source, target, ours)
    except DATABASE_ERRORS as error:
        raise StorageUnavailable(f"the event log {source.place} cannot be read: {error}") from error
    return ours


def _difference(source: Source, target: Target, ours: Seal) -> InvalidInput:
    head = source.last_seal().position
    more = f"up to position {ours.position}, and the source ends at {head}" if ours.position > head else "of its own"
    return InvalidInput(
        f"the event log {target.place} has events {more}: it is not a copy of {source.place}, or a service has written "
        "to it since. Choose an empty target"
    )


def _write(target: Target, transaction: Callable[[], None]) -> None:
    try:
        transaction()
    except DATABASE_ERRORS as error:
        raise StorageUnavailable(f"the event log {target.place} cannot be written: {error}. {RESUME}") from error


def _read(source: Source, chain: Chain, size: int) -> Block:
    """Return the next block, after checking it."""
    try:
        block = source.block(chain.last.position, size)
        events = iter(block.events)
        for seal in block.seals:
            chain.check_next(seal, events)
    except Broken as broken:
        raise StorageUnavailable(
            f"the event log {source.place} fails verification at position {broken.position}: {broken}. Nothing from "
            "there on was copied; `job-recovery verify` checks the whole log"
        ) from None
    except (*DATABASE_ERRORS, TypeError) as error:
        raise StorageUnavailable(f"the event log {source.place} cannot be read: {error}. {RESUME}") from error
    return block
