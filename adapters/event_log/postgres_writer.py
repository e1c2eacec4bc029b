"""The writer of a log on PostgreSQL: one session with the locks of the instance, and commits whose answer was lost."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TypeVar

from eventsourcing.persistence import StoredEvent
from psycopg import errors

from adapters.event_log.database_errors import DatabaseUnavailable, EventLogInUse, StoredLate
from adapters.event_log.followed import Followed
from adapters.event_log.history import AnotherEnd, History
from adapters.event_log.postgres_connector import Connector
from adapters.event_log.postgres_datastore import LOCK_TIMEOUT, WriterDatastore
from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_lock import ServerProcess, acquire, process_of
from adapters.event_log.postgres_recorder import SealingRecorder, SnapshotRecorder
from adapters.event_log.postgres_schema import installation_of
from adapters.event_log.postgres_session import Database, Session, check_writable
from adapters.event_log.postgres_setup import set_up
from adapters.event_log.postgres_shares import Keys, Shares
from domain.errors import LogChanged

T = TypeVar("T")

WRITE_TIMEOUT = 2.4
"""Seconds for one transaction, with connecting and locking. A request may wait for one before its own: under 5 s."""

HEARTBEAT_TIMEOUT = 1.2
"""Seconds for a heartbeat, so that `/readyz` has the reason within its own limit."""

WORTH_REPEATING = 1.0
"""Seconds that must be left to connect again and repeat a transaction."""

HANDOVER = 1.0
"""Seconds that the server has to end the session before."""


class Writer:
    """Writes events through one session, for one thread at a time."""

    def __init__(self, database: Database, on_reconnect: Callable[[], None], instance: str) -> None:
        """Create the tables if necessary, connect, and take the locks.

        Args:
            database: where the log is.
            on_reconnect: called whenever the connection was lost and another one is used.
            instance: the id of this instance, which no other has.

        Raises:
            DatabaseUnavailable: the server cannot be used now.
            EventLogInUse: another process has this log for itself.
            StorageUnavailable: the tables are those of a newer version.

        """
        self._database = database
        self._on_reconnect = on_reconnect
        self._installation = set_up(database)
        self._instance, self._keys = instance, Keys(database.schema, self._installation)
        self._shares = Shares(self._keys, instance)
        self._turn = Lock()
        self._datastore = WriterDatastore(database)
        self._recorder = SealingRecorder(self._datastore)
        self._snapshots = SnapshotRecorder(self._datastore)
        self._connector = Connector(self._open)
        self._holders: list[ServerProcess] = []
        """Those of this process's sessions that may have the lock: the last one, and any whose answer was lost."""
        self._undecided: Sequence[StoredEvent] = ()
        self._changed: LogChanged | None = None
        self._datastore.session = self._open()
        try:
            self._recorder.history = self._history = History(self._recorder.last_seal())
            self._recorder.followed = self._followed = Followed(self._history.last.position)
        except BaseException:
            # The session has the lock, and would keep out the next attempt.
            self.close()
            raise

    @property
    def owned(self) -> frozenset[str]:
        """Return the shares that this instance owns."""
        return self._shares.owned

    @property
    def keys(self) -> Keys:
        """Return the keys of the locks of this log."""
        return self._keys

    @contextmanager
    def followed(self) -> Iterator[Followed]:
        """Return how far the log was followed, while nothing is written: what is committed is known as our own."""
        with self._turn:
            yield self._followed

    def claim(self, share: str) -> bool:
        """Take a share; return False if another session holds it.

        Raises:
            DatabaseUnavailable: the connection is lost. Whoever writes next connects again.

        """
        with self._turn:
            return self._change_shares(lambda session: self._shares.claim(session, share))

    def release(self, share: str) -> None:
        """Own a share no more.

        Raises:
            DatabaseUnavailable: the connection is lost, and it is still owned if it can be taken again.

        """
        with self._turn:
            self._change_shares(lambda session: self._shares.release(session, share))

    def write(self, events: Sequence[StoredEvent], as_owner_of: Collection[str] = ()) -> Sequence[int]:
        """Store the events in one transaction; return their positions.

        If the connection is lost before the answer, the log is read on the next one. Either these events are there, or
        they will never be: the next session has the instance's lock only when the last one has ended.

        Raises:
            DatabaseUnavailable: they could not be stored. If the connection is still lost, they may have been.
            IntegrityError: one of the versions exists already.
            LogChanged: the log is not as this process left it.
            NotOwner: this instance does not own one of these shares on the session of the transaction.
            StoredLate: events of an earlier call are stored; those of this one are not.
            UnknownRegistration: the events depend on a registration by another instance.

        """
        with self._turned(WRITE_TIMEOUT) as deadline:
            self._shares.check(as_owner_of)
            try:
                return self._insert(events, deadline)
            except DatabaseUnavailable as error:
                if not error.lost or deadline - monotonic() < WORTH_REPEATING:
                    raise
            if (stored := self._connect(deadline)) is not None:
                return stored
            self._shares.check(as_owner_of)
            return self._insert(events, deadline)

    def write_heartbeat(self) -> None:
        """Check that events could be stored now."""
        with self._turned(HEARTBEAT_TIMEOUT) as deadline:
            self._beat(deadline)

    def _beat(self, deadline: float) -> None:
        try:
            self._attempt(self._recorder.write_heartbeat, deadline)
        except DatabaseUnavailable as error:
            if not error.lost or deadline - monotonic() < HEARTBEAT_TIMEOUT / 2:
                raise
            self._ensure_session(deadline)
            self._attempt(self._recorder.write_heartbeat, deadline)

    def write_snapshots(self, snapshots: Sequence[StoredEvent]) -> None:
        """Store snapshots."""
        with self._turned(WRITE_TIMEOUT) as deadline:
            self._attempt(lambda: self._snapshots.insert_events(snapshots), deadline)

    def close(self) -> None:
        """Close the session, and so release the locks."""
        self._connector.close()
        self._datastore.close()

    @contextmanager
    def _turned(self, within: float) -> Iterator[float]:
        """Have the session for a block, connected; return the deadline. The time begins when it is this one's turn."""
        with self._turn:
            deadline = monotonic() + within
            self._ensure_session(deadline)
            yield deadline

    def _change_shares(self, change: Callable[[Session], T]) -> T:
        """Change what is owned. After any error the session is closed: the server may have granted a lock."""
        if (session := self._datastore.session) is None:
            raise DatabaseUnavailable("the connection is lost, and is not back yet", lost=True)
        try:
            with translating(session), session.until(monotonic() + WRITE_TIMEOUT):
                return change(session)
        except BaseException:
            self._datastore.drop()
            raise

    def _insert(self, events: Sequence[StoredEvent], deadline: float) -> Sequence[int]:
        try:
            return self._attempt(lambda: self._recorder.insert_events(events), deadline)
        except DatabaseUnavailable as error:
            if error.lost:
                self._undecided = events
            raise

    def _attempt(self, transaction: Callable[[], T], deadline: float) -> T:
        session = self._datastore.session
        assert session is not None  # noqa: S101 - `_ensure_session` comes first
        try:
            with session.until(deadline):
                return transaction()
        except AnotherEnd:
            raise self._give_up() from None
        except DatabaseUnavailable as error:
            if error.lost:
                self._datastore.drop()
            elif isinstance(error.__cause__, errors.LockNotAvailable):
                raise DatabaseUnavailable(self._recorder.who_locks()) from error
            raise

    def _ensure_session(self, deadline: float) -> None:
        """Connect if necessary.

        Raises:
            StoredLate: the events of an earlier call, which raised an error, are stored.

        """
        if self._changed is not None:
            raise self._changed
        if self._datastore.session is None:
            undecided = self._undecided
            positions = self._connect(deadline)
            if positions is not None:
                raise StoredLate(undecided, positions[-1])

    def _connect(self, deadline: float) -> Sequence[int] | None:
        """Connect again; return the positions of the events that were undecided, or None if they are not stored."""
        self._datastore.session = self._connector.session(deadline)
        try:
            positions = self._attempt(self._recognise, deadline)
        except BaseException:
            # Whatever the reason: a session is only used when what was undecided is known.
            self._datastore.drop()
            raise
        self._on_reconnect()
        return positions

    def _recognise(self) -> Sequence[int] | None:
        """Check on a new session that the log has what was left; return the positions of what was undecided."""
        positions = self._recorder.positions_of(self._undecided) if self._undecided else None
        end, there = self._recorder.end(), self._recorder.seal_at(self._history.last.position)
        if positions is not None:
            self._followed.wrote(positions[0], positions[-1])
        self._undecided = ()
        self._history.go_on(end, there)
        return positions

    def _give_up(self) -> LogChanged:
        """Write nothing any more: what this process remembers of the log is not true. Return what is the matter."""
        end, common = self._recorder.last_seal(), self._recorder.last_common(self._history.seals)
        self._changed = self._history.changed(self._database.place, end, common)
        self._datastore.drop()
        return self._changed

    def _open(self) -> Session:
        """Return a new session that has the lock."""
        with translating():
            session = self._database.connect("writer", statement=WRITE_TIMEOUT, lock=LOCK_TIMEOUT)
        try:
            with translating(session):
                self._take_over(session)
        except BaseException:
            session.close()
            raise
        return session

    def _take_over(self, session: Session) -> None:
        check_writable(session)
        installation = installation_of(session, self._database.schema)
        if installation is None or installation != self._installation:
            self._changed = LogChanged(f"the event log {self._database.place} is another one: start the service again")
            raise self._changed
        earlier, process, place = tuple(self._holders), process_of(session), self._database.place
        self._holders.append(process)
        try:
            acquire(session, self._keys.writer, place, monotonic() + HANDOVER, shared=True)
            acquire(session, self._keys.instance(self._instance), place, monotonic() + HANDOVER, earlier)
        except (DatabaseUnavailable, EventLogInUse):
            # It was refused, so it does not have the lock; after any other error it may.
            self._holders.remove(process)
            raise
        self._holders = [process]
        self._shares.take_again(session)
