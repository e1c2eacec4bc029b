"""The VMA client: asks for a job's disks, all at once, and for its own id.

Each request is limited in time and in size, follows no redirect, ignores the environment's proxy, and ends in exactly
one status with its evidence. How many requests are in progress at once depends on how fast the VMA answers.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from opentelemetry.trace import TracerProvider

from adapters.identifiers import is_valid_id
from adapters.vma.address import VMAAddress
from adapters.vma.channel import Channel, Limits
from adapters.vma.circuit import Circuit
from adapters.vma.reply import Reply, not_asked
from adapters.vma.requests import Requests
from adapters.vma.send_failures import unknown_vma
from adapters.vma.transport import http_transport
from adapters.vma.trust import trusted_by
from domain.ports import Clock, ProbeTarget
from domain.vma_status import Answer, VMAStatus, export_name

NO_SUCH_ENDPOINT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""Statuses of a build without the endpoint. NOT_FOUND is also the status for a job that the VMA does not know."""

UNCLEAR = frozenset({VMAStatus.NOT_FOUND, VMAStatus.UNINTELLIGIBLE})
"""Answers for the job's own id after which the older endpoint is asked, too."""


class ProbeSettings(Protocol):
    """The limits of the requests."""

    @property
    def probe_timeout(self) -> float:
        """Seconds for one request, from when it is sent."""

    @property
    def probe_concurrency(self) -> int:
        """Requests in progress at once per VMA, if it answers so many in time."""


class HttpVMA:
    """All VMAs by name, over HTTP."""

    def __init__(
        self,
        urls: Mapping[str, str],
        clock: Clock,
        settings: ProbeSettings,
        *,
        circuit_rest: float,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare a channel to each VMA; nothing is sent yet.

        Args:
            urls: base URL by the VMA's name.
            clock: measures the requests.
            settings: the limits of the requests.
            circuit_rest: seconds between two trial requests to a VMA that is down.
            ca_file: PEM file of further certificate authorities.

        Raises:
            InvalidInput: the file with certificate authorities cannot be used.

        """
        self._addresses = {name: VMAAddress(url) for name, url in urls.items()}
        self._clock = clock
        limits = Limits(timeout=settings.probe_timeout, concurrency=settings.probe_concurrency, rest=circuit_rest)
        self._channels = {
            name: Channel(clock.monotonic, limits, partial(self._get, name), partial(self._get_health, name))
            for name in urls
        }
        trusted = trusted_by((address.base for address in self._addresses.values()), ca_file)
        self._requests = Requests(http_transport(trusted, settings.probe_timeout), clock)

    @property
    def circuits(self) -> dict[str, Circuit]:
        """Return the circuit breaker of each VMA, by its name."""
        return {name: channel.circuit for name, channel in self._channels.items()}

    def address_of(self, vma: str) -> str | None:
        """Return a VMA's base URL without credentials; None if it is not in the settings."""
        return self._addresses[vma].base if vma in self._addresses else None

    def knows(self, vma: str) -> bool:
        """Return whether the VMA is in the settings."""
        return vma in self._addresses

    def trace(self, provider: TracerProvider | None) -> None:
        """Record a span of every request from now on, if there is a provider."""
        if provider is None:
            return
        from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport  # noqa: PLC0415 - only if needed

        self._requests.transport = AsyncOpenTelemetryTransport(self._requests.transport, tracer_provider=provider)

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.transport.aclose()

    async def ask_exports(self, target: ProbeTarget) -> dict[str, Answer]:
        """Return the answer of each disk's export by volume id, in the job's order of disks.

        Each request may wait for its slot, and is limited in time from when it is sent.
        """
        if len(target.volume_ids) == 1:
            # Most jobs have one disk, and a task of its own takes as long as reading the reply.
            (volume_id,) = target.volume_ids
            return {volume_id: await self._ask(target.vma, "progress", export_name(volume_id))}
        async with asyncio.TaskGroup() as group:
            asked = {
                volume_id: group.create_task(self._ask(target.vma, "progress", export_name(volume_id)))
                for volume_id in target.volume_ids
            }
        return {volume_id: answer.result() for volume_id, answer in asked.items()}

    async def ask_job_id(self, target: ProbeTarget) -> list[Answer]:
        """Return the answers for the job's own id; that of the older endpoint last."""
        progress = await self._ask(target.vma, "progress", target.job_id)
        if progress.status not in UNCLEAR:
            return [progress]
        status = await self._ask(target.vma, "status", target.job_id)
        if status.http_status in NO_SUCH_ENDPOINT and status.status in UNCLEAR:
            # Only older builds have this path; elsewhere its answer tells nothing about the job.
            return [progress]
        return [progress, status]

    async def _ask(self, vma: str, endpoint: str, asked_id: str) -> Answer:
        if vma not in self._channels:
            return not_asked(asked_id, unknown_vma(vma))
        if not is_valid_id(asked_id):
            return not_asked(asked_id, "this is no id that a VMA can know")
        return await self._channels[vma].ask(endpoint, asked_id)

    async def _get(self, vma: str, endpoint: str, asked_id: str) -> Reply:
        address = self._addresses[vma]
        return await self._requests.get(vma, address, address.of(endpoint, asked_id), asked_id)

    async def _get_health(self, vma: str) -> Reply:
        address = self._addresses[vma]
        return await self._requests.get(vma, address, address.health, "health", with_body=False)
