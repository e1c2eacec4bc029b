"""The instances that share a log on PostgreSQL: which of them live, and what each owns.

An instance is connected if its lock is held, and owns what the same session holds. A process that was stopped keeps its
session, so each instance tells by a counter that it runs. Only whoever sees that counter stand still in several surveys
of its own ends the session: a server that answers nobody, or a clock that is wrong, ends none.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import msgspec
from eventsourcing.persistence import PersistenceError

from adapters.event_log.database_errors import DATABASE_ERRORS
from adapters.event_log.postgres_errors import translating
from adapters.event_log.postgres_session import Database, Session
from adapters.event_log.postgres_writer import Writer
from domain.errors import StorageUnavailable
from domain.ownership import REST
from domain.ports import Instance, Log, PositionAndHead, Reached, Survey

TIMEOUT = 2.0
"""Seconds for one survey."""

STOPPED_AFTER = 8
"""Surveys in a row in which the counter of an instance stands still, before its session is ended: 4 s."""

FORGOTTEN_AFTER = 600
"""Surveys in a row after which the row of an instance that is not connected is deleted."""

BEAT = """
INSERT INTO instances (id, address, version, vmas, position, head, told_at) VALUES (%s, %s, %s, %s, %s, %s, now())
ON CONFLICT (id) DO UPDATE SET beats = instances.beats + 1, position = excluded.position, head = excluded.head,
  told_at = excluded.told_at
"""
ROWS = """
SELECT id, address, version, vmas, started_at, beats, position, head, told_at FROM instances ORDER BY started_at, id
"""
LOCKS = """
SELECT (classid::bigint << 32) | objid::bigint AS key, pid, application_name, host(client_addr) AS address
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) | objid::bigint = ANY (%s)
"""
END = "SELECT pg_terminate_backend(%s)"
DELETE = "DELETE FROM instances WHERE id = %s"


class _Holder(msgspec.Struct, frozen=True):
    """The session that holds a lock."""

    pid: int
    name: str


class PostgresInstances:
    """The instances of one log. It surveys them in a thread and a session of its own."""

    known = None
    """Others may be there."""

    def __init__(  # noqa: PLR0913 - what an instance tells, and where
        self,
        database: Database,
        writer: Writer,
        me: Instance,
        position_and_head: PositionAndHead,
        logger: Log,
        connect: Callable[[], Awaitable[None]],
    ) -> None:
        """Nothing is connected yet; `writer` has the session whose locks are owned, and `connect` renews that."""
        self._position_and_head = position_and_head
        self._database, self._writer, self._me, self._logger = database, writer, me, logger
        self._connect = connect
        self._connected: _Holder | None = None
        """The session of this instance's lock, by the last survey."""
        self._session: Session | None = None
        self._thread = ThreadPoolExecutor(1, "instances")
        self._still: dict[str, tuple[int, int]] = {}
        """The counter of each other instance, and in how many surveys it has stood still."""

    async def survey(self) -> Survey:
        """Tell the others that this instance lives, and return what each owns.

        Raises:
            StorageUnavailable: the database does not answer.

        """
        survey = await asyncio.get_running_loop().run_in_executor(self._thread, self._survey)
        if self._connected is None:
            # Others take what they find free, so the writer does not wait until there is something to write.
            await self._connect()
        return survey

    async def claim(self, share: str) -> bool:
        """Become the owner of a share; return False if another session holds its lock.

        Raises:
            StorageUnavailable: the log cannot be used now.

        """
        try:
            return await asyncio.to_thread(self._writer.claim, share)
        except DATABASE_ERRORS as error:
            raise StorageUnavailable(f"{share} cannot be claimed: {error}") from error

    async def release(self, share: str) -> None:
        """Stop to own a share. Safe to repeat.

        Raises:
            StorageUnavailable: the log cannot be used now.

        """
        try:
            await asyncio.to_thread(self._writer.release, share)
        except DATABASE_ERRORS as error:
            raise StorageUnavailable(f"{share} cannot be released: {error}") from error

    def _survey(self) -> Survey:
        try:
            if self._session is None:
                with translating():
                    self._session = self._database.connect("instance", statement=TIMEOUT, lock=TIMEOUT)
            with translating(self._session), self._session.until(monotonic() + TIMEOUT):
                return self._look(self._session)
        except PersistenceError as error:
            self._close()
            raise StorageUnavailable(f"the other instances cannot be seen: {error}") from error

    def _look(self, session: Session) -> Survey:
        me = self._me
        session.execute(BEAT, [me.id, me.address, me.version, sorted(me.vmas), *self._position_and_head()])
        rows = {row["id"]: row for row in session.execute(ROWS)}
        shares = frozenset({REST}).union(*(row["vmas"] for row in rows.values()))
        locks = self._locks(session, rows.keys(), shares)
        connected = {i: locks[key] for i in rows if (key := self._writer.keys.instance(i)) in locks}
        before, self._connected = self._connected, connected.get(me.id)
        self._watch(session, rows, connected)
        owners = {share: locks[key] for share in shares if (key := self._writer.keys.share(share)) in locks}
        instances = {i: _instance(rows[i], holder, owners) for i, holder in connected.items()}
        mine = rows[me.id]
        own = {holder.pid for holder in connected.values()}
        return Survey(
            me=msgspec.structs.replace(
                me, started_at=mine["started_at"], owns=self._writer.owned, reached=_reached(mine)
            ),
            others=tuple(instance for i, instance in instances.items() if i != me.id),
            is_new=self._connected is None or self._connected != before,
            stopped=frozenset(i for i, (_, still) in self._still.items() if still >= STOPPED_AFTER),
            holders={share: holder.name for share, holder in owners.items() if holder.pid not in own},
        )

    def _locks(self, session: Session, instances: Any, shares: frozenset[str]) -> dict[int, _Holder]:  # noqa: ANN401
        keys = self._writer.keys
        wanted = [*map(keys.instance, instances), *map(keys.share, shares)]
        return {row["key"]: _holder(row) for row in session.execute(LOCKS, [wanted])}

    def _watch(self, session: Session, rows: dict[str, dict[str, Any]], connected: dict[str, _Holder]) -> None:
        """End the sessions of the instances that have stopped, and forget those that are gone."""
        for i, row in rows.items():
            beats, still = self._still.get(i, (row["beats"], 0))
            still = still + 1 if beats == row["beats"] else 0
            self._still[i] = (row["beats"], still)
            if i in connected and still == STOPPED_AFTER:
                self._logger.warning("instance_stopped", instance=i, why="it does not run, or is cut off")
            if i in connected and still >= STOPPED_AFTER:
                session.execute(END, [connected[i].pid])
            elif i not in connected and still >= FORGOTTEN_AFTER:
                session.execute(DELETE, [i])
        self._still = {i: seen for i, seen in self._still.items() if i in rows}

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        """Close the session after the present survey, without waiting for that."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)


def _holder(row: dict[str, Any]) -> _Holder:
    where = row["address"] or "this machine"
    return _Holder(row["pid"], f"{row['application_name']} (PostgreSQL process {row['pid']}, connected from {where})")


def _instance(row: dict[str, Any], holder: _Holder, owners: dict[str, _Holder]) -> Instance:
    return Instance(
        id=row["id"],
        address=row["address"],
        version=row["version"],
        started_at=row["started_at"],
        vmas=frozenset(row["vmas"]),
        owns=frozenset(share for share, owner in owners.items() if owner.pid == holder.pid),
        reached=_reached(row),
    )


def _reached(row: dict[str, Any]) -> Reached | None:
    return None if row["position"] is None else Reached(row["position"], row["head"], row["told_at"])
