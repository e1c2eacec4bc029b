"""How events and snapshots are stored: as JSON under explicit topics, readable in an SQLite shell."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from adapters.event_log import snapshots
from domain.aggregate import Snapshot
from domain.errors import StorageUnavailable
from domain.events import EVENTS, UnreadableEvent
from domain.recovery_run import RecoveryRun
from domain.replication_job import ReplicationJob
from domain.vm_context import VMContext

AGGREGATES = (ReplicationJob, RecoveryRun, VMContext)

NEVER = datetime.min.replace(tzinfo=UTC)
"""The time of an event that cannot be read."""


class EventMapper(Mapper[str]):
    """Encodes events and snapshots; its errors name the stream and the version."""

    def __init__(self) -> None:
        """Prepare one decoder per event."""
        super().__init__(transcoder=cast("Transcoder", None))
        self._encoder = msgspec.json.Encoder()
        self._decoders = {topic: msgspec.json.Decoder(kind) for topic, kind in EVENTS.items()}
        # The process crashes if two threads at once are the first to decode a struct (msgspec 0.22). So each is
        # prepared before there are threads, also for snapshots and the read model.
        for kind in AGGREGATES:
            msgspec.json.Decoder(kind)

    def to_stored_event(self, domain_event: Any) -> StoredEvent:  # noqa: ANN401 - the library's signature
        """Encode an event, or a snapshot, for storing."""
        if isinstance(domain_event, Snapshot):
            topic, state = snapshots.topic_of(domain_event), domain_event.state
        else:
            topic, state = type(domain_event).topic, self._encoder.encode(domain_event)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            state=state,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401 - the library's signature
        """Decode a stored event or snapshot; None for a snapshot that must not be used.

        Raises:
            StorageUnavailable: it is of a newer version, or damaged; the message names it.

        """
        if stored_event.topic.startswith(snapshots.PREFIX):
            name = (str(stored_event.originator_id), stored_event.originator_version)
            return snapshots.restored(*name, stored_event.topic, stored_event.state)
        decoder = self._decoders.get(stored_event.topic)
        if decoder is None:
            message = (
                f"the log has an event '{stored_event.topic}' ({_name(stored_event)}) that this version does not know: "
                "use a newer one"
            )
            raise StorageUnavailable(message)
        try:
            return decoder.decode(stored_event.state)
        except ValueError as error:
            # The base class of msgspec's and of Unicode's decoding errors.
            message = (
                f"the log has an event '{stored_event.topic}' ({_name(stored_event)}) that cannot be decoded: {error}. "
                "Stop the service and run `job-recovery verify`; if the log is damaged, restore it from a backup"
            )
            raise StorageUnavailable(message) from error


def unreadable(stored: StoredEvent, why: str) -> UnreadableEvent:
    """Return the placeholder of a stored event that cannot be decoded."""
    return UnreadableEvent(
        originator_id=str(stored.originator_id),
        originator_version=stored.originator_version,
        recorded_at=NEVER,
        correlation_id="",
        causation_id="",
        why=why,
    )


def _name(stored: StoredEvent) -> str:
    return f"{stored.originator_id} version {stored.originator_version}"
