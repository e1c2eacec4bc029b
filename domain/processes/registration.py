"""Registration: asks the VMA what it has of the volumes' earlier jobs, and registers a job."""

import asyncio
from functools import partial

from domain.application import JobRecovery
from domain.events import Trace
from domain.processes.contact import Contact
from domain.replication_job import Registration, ReplicationJob
from domain.vma_status import Observation

PROBE_WITHIN = 2.0
"""Seconds that a registration waits for the VMA; one that is down or slow does not delay it further."""


class Registrar:
    """Registers jobs."""

    def __init__(self, app: JobRecovery, contact: Contact) -> None:
        """Ask through `contact`, record through `app`."""
        self._app = app
        self._contact = contact

    async def register(self, asked: Registration, trace: Trace) -> tuple[ReplicationJob, bool]:
        """Register a job; return it, and whether it is new. Safe to repeat.

        Raises:
            Refused: another job has the id, the VM context or a volume.

        """
        if (registered := await self._app.registered(asked)) is not None:
            return registered, False
        return await self._app.register(asked, trace, partial(self._probe, asked))

    async def _probe(self, asked: Registration) -> Observation | None:
        """Return what the VMA has of the volumes now, before the job's own worker can have written."""
        try:
            async with asyncio.timeout(PROBE_WITHIN):
                return await self._contact.probe_unregistered(asked.job_id, asked.vma, asked.volume_ids)
        except TimeoutError:
            return None
