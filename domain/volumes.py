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
        self._is_read = False

    async def last_jobs(self, vma: str, volume_ids: tuple[str, ...]) -> dict[str, str]:
        """Return the last job of each of a VMA's volumes, without volumes that had none."""
        async with self._lock:
            if not self._is_read:
                # What was assigned meanwhile is newer than what was read.
                self._owners = await self._read() | self._owners
                self._is_read = True
        return {v: self._owners[vma, v] for v in volume_ids if (vma, v) in self._owners}

    async def newer_jobs_than(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> dict[str, str]:
        """Return the last job of each volume that has had another one since this."""
        last = await self.last_jobs(vma, volume_ids)
        return {volume_id: other for volume_id, other in last.items() if other != job_id}

    def assign(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> None:
        """Assign the volumes to a job whose registration has been stored."""
        self._owners |= {(vma, v): job_id for v in volume_ids}

    async def _read(self) -> Owners:
        stored = await self._log.select(JobRegistered)
        return {(event.vma, v): event.originator_id for event in stored for v in event.volume_ids}
