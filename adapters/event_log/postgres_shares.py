"""What one instance owns: advisory locks that its writer's session holds.

Whoever loses the session loses the locks, and the server commits nothing more of it. So an instance that has stopped
and goes on later cannot store anything as the owner that it was. The last owner of a share is recorded, so that whoever
has lost the session for a moment, as after a restart of the server, knows if another has decided anything meanwhile.
"""

from collections.abc import Iterable

from adapters.event_log.postgres_schema import Installation, lock_key
from adapters.event_log.postgres_session import Session
from domain.errors import NotOwner

TRY = "SELECT pg_try_advisory_lock(%s) AS held"
UNLOCK = "SELECT pg_advisory_unlock(%s)"
RECORD_OWNER = """
INSERT INTO shares (share, owner) VALUES (%s, %s) ON CONFLICT (share) DO UPDATE SET owner = excluded.owner
"""
LAST_OWNED = "SELECT share FROM shares WHERE owner = %s AND share = ANY(%s)"


class Keys:
    """The keys of the locks of one log."""

    def __init__(self, schema: str, installation: Installation) -> None:
        """A copy of the log in another schema has others."""
        self._log = schema, installation.id
        self.writer = lock_key("writer", *self._log)

    def instance(self, instance: str) -> int:
        """Return the key of the lock that shows that an instance is connected."""
        return lock_key("instance", *self._log, instance)

    def share(self, share: str) -> int:
        """Return the key of the lock of a share's owner."""
        return lock_key("share", *self._log, share)


class Shares:
    """The shares of one instance. The locks of a session are counted by the server, so each is taken once."""

    def __init__(self, keys: Keys, instance: str) -> None:
        """Own nothing."""
        self._keys, self._instance = keys, instance
        self.owned: frozenset[str] = frozenset()

    def take_again(self, session: Session) -> None:
        """Take what was owned on a new session, as far as nobody else has owned it meanwhile."""
        locked = {share for share in sorted(self.owned) if self._lock(session, share)}
        mine = {row["share"] for row in session.execute(LAST_OWNED, [self._instance, sorted(locked)])}
        for share in sorted(locked - mine):
            self._unlock(session, share)
        self.owned = frozenset(mine)

    def claim(self, session: Session, share: str) -> bool:
        """Take a share; return False if another session holds its lock."""
        if share not in self.owned:
            if not self._lock(session, share):
                return False
            session.execute(RECORD_OWNER, [share, self._instance])
            self.owned |= {share}
        return True

    def release(self, session: Session, share: str) -> None:
        """Own a share no more. Safe to repeat."""
        if share in self.owned:
            self._unlock(session, share)
            self.owned -= {share}

    def check(self, wanted: Iterable[str]) -> None:
        """Check that all these are owned.

        Raises:
            NotOwner: one of them is not.

        """
        if missing := sorted(set(wanted) - self.owned):
            raise NotOwner(f"the jobs of {', '.join(missing)} are not watched by this instance any more")

    def _lock(self, session: Session, share: str) -> bool:
        row = session.execute(TRY, [self._keys.share(share)]).fetchone()
        return row is not None and row["held"]

    def _unlock(self, session: Session, share: str) -> None:
        session.execute(UNLOCK, [self._keys.share(share)])
