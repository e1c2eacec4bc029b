"""The only instance on its event log: a log in a file, whose data directory has a lease, has no others."""

import msgspec

from domain.ownership import REST
from domain.ports import Instance, Survey


class SoleInstance:
    """Owns every share from the start."""

    def __init__(self, me: Instance) -> None:
        """Own the VMAs of the settings, and the rest."""
        self.known = Survey(msgspec.structs.replace(me, owns=me.vmas | {REST}))

    async def survey(self) -> Survey:
        """Return this instance."""
        return self.known

    async def claim(self, _share: str) -> bool:
        """Return that the share is owned."""
        return True

    async def release(self, share: str) -> None:
        """Refuse: there is nobody to hand a share over to."""
        raise AssertionError(share)
