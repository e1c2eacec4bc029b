"""A simulated server with a lock service, and the event log of one of several instances on it."""

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from domain.aggregate import Snapshot
from domain.errors import ConcurrentWrite, NotOwner, StorageUnavailable
from domain.events import Event, JobRegistered, OutcomeRevised
from domain.ports import Clock, Instance, PositionAndHead, Survey
from tests.simulation.store import Disk, SimulatedEventLog
from tests.support.loop import Machine, SimulatedClock

FOLLOW = 0.4
"""Virtual seconds between two looks for what others have stored."""

STOPPED_AFTER = 8
"""Surveys in which another instance's counter stands still, until its session is ended."""

SURVEY_TIMEOUT = 2.0


class Session:
    """One instance's connection to the server."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.alive = True


class Server(Disk):
    """A database with locks that belong to sessions. Frozen, it answers nobody, and no session ends."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.rows: dict[str, Instance] = {}
        self.beats: dict[str, int] = {}
        self.sessions: dict[str, Session] = {}
        self.on_claim: Callable[[str], None] = lambda _: None
        self.stranger: str | None = None
        """What somebody has stored as the owner of what is another's."""
        self._holders: dict[str, Session] = {}
        self.last_owner: dict[str, str] = {}

    def connect(self, instance: str) -> Session:
        """Return a new session, after the end of the last one of the same instance."""
        if instance in self.sessions:
            self.sessions[instance].alive = False
        self.sessions[instance] = Session(instance)
        return self.sessions[instance]

    def claim(self, share: str, session: Session) -> bool:
        """Give a lock to a session, if no other has it."""
        holder = self._holders.get(share)
        if holder is not None and holder.alive and holder is not session:
            return False
        if holder is None or holder.instance != session.instance:
            self.on_claim(share)
        self._holders[share] = session
        return True

    def release(self, share: str, session: Session) -> None:
        if self._holders.get(share) is session:
            self._holders[share] = Session("nobody")
            self._holders[share].alive = False

    def holds(self, share: str, session: Session) -> bool:
        """Return whether a session that is alive has a lock."""
        return session.alive and self._holders.get(share) is session

    def owned(self, session: Session) -> frozenset[str]:
        return frozenset(share for share in self._holders if self.holds(share, session))

    def commit_as(self, events: Sequence[Event], share: str | None, session: Session) -> int:
        """Store events, and see whether they are stored by whoever owns the share."""
        if share is not None and not self.holds(share, session):
            self.stranger = f"{[event.ref for event in events]} are stored as the owner of {share}, which is another's"
        return self.commit(events)


class StoppableClock(SimulatedClock):
    """The clock of a process that can be stopped: whatever sleeps then, sleeps on."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.stopped_until = 0.0

    @property
    def is_stopped(self) -> bool:
        return self.monotonic() < self.stopped_until

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self.go_on()

    async def go_on(self) -> None:
        """Return when the process is not stopped."""
        while self.is_stopped:
            await super().sleep(self.stopped_until - self.monotonic())


class SharedEventLog(SimulatedEventLog):
    """The event log of one of several instances, which follows what the others store."""

    def __init__(self, server: Server, name: str, clock: StoppableClock, rng: random.Random) -> None:
        super().__init__(server, rng)
        self.server, self.name, self.clock = server, name, clock
        self.owned: frozenset[str] = frozenset()
        self.session = server.connect(name)
        self._followed = len(server.events)
        self._own: set[int] = set()
        self._on_others: list[Callable[[Sequence[Event]], None]] = []

    def on_others(self, listener: Callable[[Sequence[Event]], None]) -> None:
        self._on_others.append(listener)

    def instances(self, me: Instance, _: PositionAndHead) -> "SharedInstances":
        return SharedInstances(self, me)

    async def append(
        self,
        events: Sequence[Event],
        snapshots: Sequence[Snapshot] = (),  # noqa: ARG002 - a port
        *,
        as_owner_of: str | None = None,
    ) -> int:
        await self._wait()
        self.check_reachable()
        self.check_owner(as_owner_of)
        self._check_registrations(events)
        position = self.server.commit_as(events, as_owner_of, self.session)
        self._own |= set(range(position - len(events) + 1, position + 1))
        # A process that is killed here has stored events without an acknowledgement.
        await self._wait()
        self.position = max(self.position, position)
        for listener in self._on_commit:
            listener(position)
        return position

    def check_reachable(self) -> None:
        """Connect again if the session has ended.

        Raises:
            StorageUnavailable: the server answers nobody, or is full.

        """
        if self.server.frozen or self.server.full:
            raise StorageUnavailable("the simulated server does not answer, or is full")
        if not self.session.alive:
            self.session = self.server.connect(self.name)
            self.owned = frozenset(filter(self._take_again, self.owned))

    def claim_on_session(self, share: str) -> bool:
        return self.server.claim(share, self.session)

    def _take_again(self, share: str) -> bool:
        """Take what was owned, unless another has owned it meanwhile."""
        if not self.claim_on_session(share):
            return False
        if self.server.last_owner[share] == self.name:
            return True
        self.server.release(share, self.session)
        return False

    def check_owner(self, share: str | None) -> None:
        if share is not None and share not in self.owned:
            raise NotOwner(f"{share} is not owned any more")

    def _check_registrations(self, events: Sequence[Event]) -> None:
        """Refuse what depends on a registration by another instance that is not known here."""
        if any(isinstance(event, JobRegistered | OutcomeRevised) for event in events):
            unknown = self._of_others()
            self.follow_now()
            if any(isinstance(event, JobRegistered) for event in unknown):
                raise ConcurrentWrite("another instance has registered a job")

    def _of_others(self) -> list[Event]:
        first = self._followed + 1
        return [e for n, e in enumerate(self.server.events[self._followed :], first) if n not in self._own]

    def follow_now(self) -> None:
        """Take in what others have stored."""
        found, self._followed = self._of_others(), len(self.server.events)
        for listener in self._on_others if found else ():
            listener(found)
        for tell in self._on_commit if found else ():
            tell(self._followed)

    async def keep(self, clock: Clock) -> None:
        while True:
            await clock.sleep(FOLLOW)
            if not self.server.frozen and not self.killed:
                self.follow_now()
                if not self.server.full:
                    self.check_reachable()

    async def _wait(self) -> None:
        await self.clock.go_on()
        await super()._wait()
        await self.clock.go_on()


class SharedInstances:
    """The instances on the simulated server."""

    known = None

    def __init__(self, log: SharedEventLog, me: Instance) -> None:
        self._log, self._me, self._server = log, me, log.server
        self._still: dict[str, tuple[int, int]] = {}
        self._session: Session | None = None

    async def survey(self) -> Survey:
        await self._log.clock.go_on()
        server, me = self._server, self._me
        if server.frozen:
            await self._log.clock.sleep(SURVEY_TIMEOUT)
            raise StorageUnavailable("the simulated server does not answer")
        await asyncio.sleep(0.01)
        if self._log.killed:
            await asyncio.get_running_loop().create_future()
        server.rows[me.id] = me
        server.beats[me.id] = server.beats.get(me.id, 0) + 1
        connected = {i: server.sessions[i] for i in server.rows if i in server.sessions and server.sessions[i].alive}
        self._end_stopped(connected)
        others = [
            msgspec.structs.replace(server.rows[i], owns=server.owned(session))
            for i, session in sorted(connected.items())
            if i != me.id
        ]
        before, self._session = self._session, self._log.session if self._log.session.alive else None
        is_new = self._session is None or self._session is not before
        stopped = frozenset(i for i, (_, still) in self._still.items() if still >= STOPPED_AFTER)
        return Survey(msgspec.structs.replace(me, owns=self._log.owned), tuple(others), is_new, stopped)

    def _end_stopped(self, connected: dict[str, Session]) -> None:
        for i, session in connected.items():
            before, still = self._still.get(i, (0, 0))
            beats = self._server.beats.get(i, 0)
            still = still + 1 if beats == before else 0
            self._still[i] = (beats, still)
            if still >= STOPPED_AFTER and i != self._me.id:
                session.alive = False

    async def claim(self, share: str) -> bool:
        await self._log._wait()
        self._log.check_reachable()
        if not self._log.claim_on_session(share):
            return False
        self._server.last_owner[share] = self._me.id
        self._log.owned |= {share}
        return True

    async def release(self, share: str) -> None:
        self._log.owned -= {share}
        self._server.release(share, self._log.session)
