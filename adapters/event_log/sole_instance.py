"""The only instance on its event log: a log in a file, whose data directory has a lease, has no others."""

import msgspec

from domain.ports import Instance, Survey


class SoleInstance:
    """Owns every share that it claims."""

    def __init__(self, me: Instance) -> None:
        """Own nothing yet."""
        self._me = me

    async def survey(self) -> Survey:
        """Return this instance."""
        return Survey(self._me)

    async def claim(self, share: str) -> bool:
        """Own a share."""
        self._me = msgspec.structs.replace(self._me, owns=self._me.owns | {share})
        return True

    async def release(self, share: str) -> None:
        """Own a share no more."""
        self._me = msgspec.structs.replace(self._me, owns=self._me.owns - {share})
