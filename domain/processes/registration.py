"""Registration: a job is put under watch, knowing what stands on its VMA of the volumes' earlier jobs."""

import asyncio

from domain.application import JobRecovery
from domain.events import Trace
from domain.processes.contact import Contact
from domain.replication_job import Registration, ReplicationJob
from domain.vma_status import Observation

LOOK_WITHIN = 2.0
"""Seconds that a registration waits for the VMA; one that is down or slow does not hold it up."""


class Registrar:
    """Registers jobs."""

    def __init__(self, app: JobRecovery, contact: Contact) -> None:
        """Ask through `contact`, record through `app`."""
        self._app = app
        self._contact = contact

    async def register(self, asked: Registration, trace: Trace) -> tuple[ReplicationJob, bool]:
        """Put a job under watch; return it, and whether it is new. Safe to repeat.

        Raises:
            Refused: the id, the VM context or a volume belongs to another job.

        """
        if (known := await self._app.known(asked)) is not None:
            return known, False
        return await self._app.register(asked, trace, await self._look(asked))

    async def _look(self, asked: Registration) -> Observation | None:
        """Return what the VMA says of the volumes now, before the job's own worker can have written."""
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                return await self._contact.look(asked.job_id, asked.vma, asked.volume_ids)
        except TimeoutError:
            return None
