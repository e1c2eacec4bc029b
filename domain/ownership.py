"""Ownership: which VMAs' jobs this instance watches.

The VMA is what instances share: its circuit, its concurrency and its amnesia are known per VMA, so one instance watches
all of its jobs. An instance takes a free VMA if no other that has it in its settings owns fewer, and hands one over if
another owns at least two fewer. The VMAs that are in nobody's settings are one share, too: their jobs wait, watched.
"""

from collections.abc import Iterable
from typing import Protocol

from domain.errors import StorageUnavailable
from domain.ports import Instance, Instances, Survey

REST = "*"
"""The share of the VMAs that are in no instance's settings."""

FREE_FOR = 4
"""Surveys after connecting in which a share without an owner is left to its last one. If the database was restarted,
that one has lost its session, too, and may be connected again in a moment."""

JUST_FREE = 8
"""Surveys after which a share that is still without an owner is one that nobody takes."""

UNEVEN = 2
"""By how many shares an instance must own more than another to hand one over: one more is even enough."""


class Owned(Protocol):
    """What this instance owns."""

    def owns(self, vma: str) -> bool:
        """Return whether this instance watches the jobs of a VMA."""

    def share_of(self, vma: str) -> str:
        """Return the share that a VMA belongs to."""


class _Everything:
    """Every VMA, for a process that has the log for itself."""

    def owns(self, vma: str) -> bool:  # noqa: ARG002 - a protocol
        return True

    def share_of(self, vma: str) -> str:
        return vma


EVERYTHING = _Everything()


class Ownership:
    """The shares of this instance. If there may be others, it owns none before `look`."""

    def __init__(self, instances: Instances) -> None:
        """Take and hand over through `instances`."""
        self._instances = instances
        self._survey: Survey | None = None
        self._owned: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()
        self._last_owner: dict[str, str] = {}
        self._free_for: dict[str, int] = {}
        self._connected_for = 0
        """Surveys since this instance has connected."""
        self._leaving: frozenset[str] = frozenset()
        self._told: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        """What was owned, and which VMAs were known, when `look` last returned."""
        if (known := instances.known) is not None:
            self._see(known)
            self._owned = known.me.owns

    @property
    def survey(self) -> Survey | None:
        """Return the last survey; None before the first."""
        return self._survey

    @property
    def owned(self) -> frozenset[str]:
        """Return what this instance owns."""
        return self._owned

    @property
    def alive(self) -> frozenset[str]:
        """Return the ids of the instances that are connected to the log."""
        survey = self._survey
        return frozenset({survey.me.id, *(other.id for other in survey.others)}) if survey else frozenset()

    @property
    def unwatched(self) -> dict[str, str | None]:
        """Return what no instance owns, by the last survey: each share with the session that keeps it, if one does."""
        if (survey := self._survey) is None:
            return {}
        owned = self._owned.union(*(other.owns for other in survey.others))
        return {share: survey.holders.get(share) for share in sorted((self._known | {REST}) - owned)}

    @property
    def is_shared(self) -> bool:
        """Return whether another instance is connected to the log."""
        return len(self.alive) > 1

    def owns(self, vma: str) -> bool:
        """Return whether this instance watches the jobs of a VMA."""
        return self.share_of(vma) in self._owned

    def share_of(self, vma: str) -> str:
        """Return the share that a VMA belongs to."""
        return vma if vma in self._known else REST

    def owner_of(self, vma: str) -> Instance | None:
        """Return the other instance that watches the jobs of a VMA, as far as is known."""
        others = self._survey.others if self._survey else ()
        return next((other for other in others if self.share_of(vma) in other.owns), None)

    def other(self, instance_id: str) -> Instance | None:
        """Return another instance by its id; None if it is not connected to the log."""
        others = self._survey.others if self._survey else ()
        return next((other for other in others if other.id == instance_id), None)

    async def look(self) -> frozenset[str] | None:
        """Take what is free and due to this instance; return the shares of which it watches more than before.

        None if it watches the same as before.

        Raises:
            StorageUnavailable: it is not known what is free.

        """
        survey = await self._instances.survey()
        self._see(survey)
        self._leaving &= survey.me.owns
        lost = self._told[0] - survey.me.owns
        self._owned = survey.me.owns - self._leaving
        # What was lost is dropped first, so that it is recovered like after a restart, also if it can be taken again.
        for share in () if lost else self._free(survey):
            if self._is_due(share, survey) and await self._instances.claim(share):
                self._owned |= {share}
        (owned, known), self._told = self._told, (self._owned, self._known)
        if (owned, known) == self._told:
            return None
        # A VMA that is in nobody's settings any more belongs to the rest now.
        return self._owned - owned if known == self._known else (self._owned - owned) | ({REST} & self._owned)

    def surplus(self) -> str | None:
        """Return a share to hand over: one that another instance knows and owns two fewer than this one.

        None while a share has just become free: whoever takes that may be even then.
        """
        if self._leaving or any(count <= JUST_FREE for count in self._free_for.values()):
            return None
        others = self._survey.others if self._survey else ()
        for share in sorted(self._owned):
            fewest = min((len(other.owns) for other in others if _knows(other, share)), default=None)
            if fewest is not None and len(self._owned) - fewest >= UNEVEN:
                return share
        return None

    def leave(self, share: str) -> None:
        """Stop to watch the jobs of a share, which is handed over next."""
        self._owned -= {share}
        self._leaving |= {share}
        self._told = self._told[0] - {share}, self._told[1]

    async def release(self, share: str) -> None:
        """Hand a share over, to whoever takes it.

        Raises:
            StorageUnavailable: it may still be owned, as the next look shows.

        """
        try:
            await self._instances.release(share)
        except StorageUnavailable:
            self._leaving -= {share}
            raise

    def _see(self, survey: Survey) -> None:
        self._survey = survey
        self._connected_for = 0 if survey.is_new else self._connected_for + 1
        everybody = (survey.me, *survey.others)
        self._known = frozenset[str]().union(*(one.vmas for one in everybody))
        owned = {share: one.id for one in everybody for share in one.owns}
        free = (self._last_owner.keys() & (self._known | {REST})) - owned.keys()
        self._free_for = {share: self._free_for.get(share, 0) + 1 for share in free}
        self._last_owner |= owned

    def _free(self, survey: Survey) -> Iterable[str]:
        owned = frozenset[str]().union(*(one.owns for one in (survey.me, *survey.others)))
        at_once = {None} | self.alive | survey.stopped
        for share in sorted((survey.me.vmas | {REST}) - owned):
            if self._connected_for >= FREE_FOR or self._last_owner.get(share) in at_once:
                yield share

    def _is_due(self, share: str, survey: Survey) -> bool:
        """Return whether no other instance that knows a share owns fewer than this one."""
        return all(len(other.owns) >= len(self._owned) for other in survey.others if _knows(other, share))


def _knows(instance: Instance, share: str) -> bool:
    return share == REST or share in instance.vmas
