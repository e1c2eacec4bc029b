"""Which job had a volume last, over all jobs that there ever were.

A VMA names an export by its volume, and so by nothing that tells one job's from another's: who gives a volume to a new
job has to know whose last word may still stand there.
"""

import asyncio

from domain.events import JobRegistered
from domain.ports import EventLog

Owners = dict[tuple[str, str], str]


class Volumes:
    """Knows the last job of each volume. The log is looked through once, when somebody first asks."""

    def __init__(self, log: EventLog) -> None:
        """Nothing is read yet."""
        self._log = log
        self._reading = asyncio.Lock()
        self._owners: Owners | None = None

    async def last_jobs(self, vma: str, volume_ids: tuple[str, ...]) -> dict[str, str]:
        """Return which job last had each of the volumes on a VMA; volumes that none had are left out."""
        async with self._reading:
            if self._owners is None:
                self._owners = await self._read()
        return {v: self._owners[vma, v] for v in volume_ids if (vma, v) in self._owners}

    async def newer_job_than(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> str | None:
        """Return a job that was given one of the volumes after this one, if there is any."""
        last = await self.last_jobs(vma, volume_ids)
        return next((other for other in last.values() if other != job_id), None)

    def given_to(self, job_id: str, vma: str, volume_ids: tuple[str, ...]) -> None:
        """Take note of a job whose registration has been stored; one that is yet to be read needs no note."""
        if self._owners is not None:
            self._owners |= {(vma, v): job_id for v in volume_ids}

    async def _read(self) -> Owners:
        stored = await self._log.select(JobRegistered)
        return {(one.vma, v): one.originator_id for one in stored for v in one.volume_ids}
