"""What one instance owns: advisory locks that its writer's session holds.

Whoever loses the session loses the locks, and the server commits nothing more of it. So an instance that has stopped
and goes on later cannot store anything as the owner that it was.
"""

from collections.abc import Iterable

from adapters.event_log.postgres_schema import Installation, lock_key
from adapters.event_log.postgres_session import Session
from domain.errors import NotOwner

TRY = "SELECT pg_try_advisory_lock(%s) AS held"
UNLOCK = "SELECT pg_advisory_unlock(%s)"


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

    def __init__(self, keys: Keys) -> None:
        """Own nothing."""
        self._keys = keys
        self._held: set[str] = set()
        """Those whose lock the present session holds."""
        self.owned: frozenset[str] = frozenset()
        """Those that may be used: of a lock that was lost and is held again, another owner may have been meanwhile."""

    def take_again(self, session: Session) -> None:
        """Take what was owned on a new session, as far as it is free."""
        self._held = set()
        for share in sorted(self.owned):
            if not self.claim(session, share):
                self.owned -= {share}

    def claim(self, session: Session, share: str) -> bool:
        """Take a share; return False if another session holds its lock."""
        if share not in self._held:
            row = session.execute(TRY, [self._keys.share(share)]).fetchone()
            if row is None or not row["held"]:
                return False
            self._held.add(share)
        self.owned |= {share}
        return True

    def release(self, session: Session | None, share: str) -> None:
        """Own a share no more; without a session, its lock is gone."""
        self.owned -= {share}
        if session is not None and share in self._held:
            self._held.discard(share)
            session.execute(UNLOCK, [self._keys.share(share)])

    def lose(self) -> None:
        """Own nothing until it is claimed again."""
        self.owned = frozenset()

    def check(self, wanted: Iterable[str]) -> None:
        """Check that all these are owned.

        Raises:
            NotOwner: one of them is not.

        """
        if missing := sorted(set(wanted) - self.owned):
            raise NotOwner(f"the jobs of {', '.join(missing)} are not watched by this instance any more")
