"""Volumes: the last job of each volume, over all registered jobs.

A VMA names an export by its volume, so the name does not tell one job from another. The registration of a job has to
know whose document the export may still have.
"""

import asyncio

from domain.events import JobRegistered
from domain.ports import EventLog

Owners = dict[tuple[str, str], str]


class Volumes:
    """The last job of each volume, read from the event log at the first query."""

    def __init__(self, log: EventLog) -> None:
        """Nothing is read yet."""
        self._log = log
        self._lock = asyncio.Lock()
        self._owners: Owners = {}
        self._assigned: Owners = {}
        """What was assigned since the last reading began: it is newer than what was read."""
        self._doubted: set[tuple[str, str]] = set()
        self._is_read = False

    async def last_jobs(self, vma: str, volume_ids: tuple[str, ...]) -> dict[str, str]:
        """Return the last job of each of a VMA's volumes, without volumes that had none."""
        async with self._lock:
            if not self._is_read or any((vma, v) in self._doubted for v in volume_ids):
                await self._read_again()
        return {v: self._owners[vma, v] for v in volume_ids if (vma, v) in self._owners}

    async def newer_jobs_than(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> dict[str, str]:
        """Return the last job of each volume that has had another one since this."""
        last = await self.last_jobs(vma, volume_ids)
        return {volume_id: other for volume_id, other in last.items() if other != job_id}

    def assign(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> None:
        """Assign the volumes to a job whose registration has been stored."""
        for owners in (self._owners, self._assigned):
            owners |= {(vma, v): job_id for v in volume_ids}

    def doubt(self, vma: str, volume_ids: tuple[str, ...]) -> None:
        """Read again whose these volumes are, when that is asked: another instance has assigned them."""
        self._doubted |= {(vma, v) for v in volume_ids}

    async def _read_again(self) -> None:
        self._assigned, doubted, self._doubted = ({} if self._is_read else self._assigned), self._doubted, set()
        try:
            self._owners = await self._read() | self._assigned
        except BaseException:
            self._doubted |= doubted
            raise
        self._is_read = True

    async def _read(self) -> Owners:
        stored = await self._log.select(JobRegistered)
        return {(event.vma, v): event.originator_id for event in stored for v in event.volume_ids}
