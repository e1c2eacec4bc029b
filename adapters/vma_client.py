"""The VMA client: one bounded probe per job, whatever the other side does.

A probe asks for all of a job's disks at once and, where these do not settle it, for the job's own id. It is bounded
in time, in size and in concurrency, follows no redirect, takes no proxy from the environment, and always ends in
exactly one status with its evidence.
"""

import asyncio
import errno
import ssl
from collections.abc import Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from opentelemetry.trace import TracerProvider

from adapters.vma_address import VMAAddress
from adapters.vma_circuit import Circuit, Leave
from adapters.vma_dialects import TUNNEL_ERRORS
from domain.identifiers import is_valid_id
from domain.observing import needs_own_id, observe
from domain.ports import Clock, ProbeTarget
from domain.vma_status import CONCLUSIVE, Answer, Observation, VMAStatus, export_name

MAX_BODY = 1_000_000
"""Bytes of a reply that are read; a progress document has a few thousand."""


OUR_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What a question fails with that never left this machine."""

NO_SUCH_ENDPOINT = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED})
"""How a build without an endpoint answers; the first is also how one says that it does not know the job."""

LIMITS = httpx.Limits(max_connections=512, keepalive_expiry=15.0)
"""Above what the probes' own concurrency asks for, so that no probe waits here for a connection."""


class ProbeSettings(Protocol):
    """The bounds of a probe."""

    @property
    def probe_timeout(self) -> float:
        """Seconds for a whole probe, all ids of a job together."""

    @property
    def probe_concurrency(self) -> int:
        """Probes under way at once, per VMA, so that one that hangs does not hold up the others."""


class CouldNotAsk(Exception):
    """Temporary."""


class HttpVMA:
    """All VMAs by name, over HTTP."""

    def __init__(self, urls: Mapping[str, str], clock: Clock, settings: ProbeSettings, *, circuit_rest: float) -> None:
        """Know the VMAs; nothing is asked yet.

        Args:
            urls: base URL by the VMA's name.
            clock: measures the probes.
            settings: the probe's bounds.
            circuit_rest: seconds between two pilots to a VMA that is down.

        """
        self.circuits = {name: Circuit(clock.monotonic, circuit_rest) for name in urls}
        self._addresses = {name: VMAAddress(url) for name, url in urls.items()}
        self._clock = clock
        self._timeout = settings.probe_timeout
        self._slots = {name: asyncio.Semaphore(settings.probe_concurrency) for name in ("", *urls)}
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(verify=_authorities(), trust_env=False, limits=LIMITS),
            trust_env=False,
            follow_redirects=False,
            timeout=settings.probe_timeout,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    def trace(self, provider: TracerProvider | None) -> None:
        """Make a span of every question from now on, if there is where to."""
        if provider is None:
            return
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415 - if it is wanted

        HTTPXClientInstrumentor.instrument_client(self._client, tracer_provider=provider)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def address_of(self, vma: str) -> str | None:
        """Return where the VMA is, without credentials; None if it is not in the settings."""
        return self._addresses[vma]._base if vma in self._addresses else None  # noqa: SLF001 - temporary

    async def probe(self, target: ProbeTarget) -> Observation:
        """Ask a job's VMA for it; whatever that answers is an observation.

        Raises:
            CouldNotAsk: this machine has no means to ask.

        """
        async with self._slots.get(target.vma, self._slots[""]):
            return await self._probe(target)

    async def _probe(self, target: ProbeTarget) -> Observation:
        began = self._clock.monotonic()
        exports: dict[str, Answer] = {}
        own: list[Answer] = []
        try:
            async with asyncio.timeout(self._timeout):
                await self._ask_all(target, exports, own)
        except TimeoutError:
            pass
        for volume_id in target.volume_ids:
            # What had no answer within the bound is unreachable: silence, not a statement about the disk.
            exports.setdefault(volume_id, self._silent(export_name(volume_id)))
        return observe(
            target,
            {volume_id: exports[volume_id] for volume_id in target.volume_ids},
            own,
            observed_at=self._clock.now(),
            took_ms=round((self._clock.monotonic() - began) * 1000, 1),
        )

    async def _ask_all(self, target: ProbeTarget, exports: dict[str, Answer], own: list[Answer]) -> None:
        async def ask_export(volume_id: str) -> None:
            exports[volume_id] = await self._ask(target.vma, "progress", export_name(volume_id))

        # All are waited for: none may go on when the probe is over.
        asked = await asyncio.gather(*map(ask_export, target.volume_ids), return_exceptions=True)
        for trouble in asked:
            if trouble is not None:
                raise trouble
        if not needs_own_id(target, exports):
            return
        await self._ask_own(target, "progress", own)
        if own[0].status in CONCLUSIVE or own[0].status is VMAStatus.UNREACHABLE:
            return
        await self._ask_own(target, "status", own)
        if own[1].http_status in NO_SUCH_ENDPOINT and own[1].status not in CONCLUSIVE:
            # Older builds only: where the path does not exist, its answer says nothing about the job.
            del own[1]

    async def _ask_own(self, target: ProbeTarget, endpoint: str, own: list[Answer]) -> None:
        """Ask for the job's own id; until it has answered it is silent, and so it stays if time runs out."""
        own.append(self._silent(target.job_id))
        own[-1] = await self._ask(target.vma, endpoint, target.job_id)

    async def _ask(self, vma: str, endpoint: str, asked_id: str) -> Answer:
        if not is_valid_id(asked_id) or vma not in self._addresses:
            return Answer(
                asked_id=asked_id,
                status=VMAStatus.UNINTELLIGIBLE,
                detail=f"not asked: no valid id, or no VMA named {vma!r} is configured",
            )
        leave = await self.circuits[vma].may_ask()
        if leave is Leave.NO:
            return self._unreachable(asked_id, 0.0, f"not asked, the VMA is down: {self.circuits[vma].last_error}")
        knock = asyncio.create_task(self._knock(vma)) if leave is Leave.PILOT else None
        try:
            return await self._ask_with(leave, knock, vma, endpoint, asked_id)
        finally:
            if knock is not None:
                knock.cancel()
                await asyncio.gather(knock, return_exceptions=True)

    async def _ask_with(
        self, leave: Leave, knock: asyncio.Task[None] | None, vma: str, endpoint: str, asked_id: str
    ) -> Answer:
        circuit = self.circuits[vma]
        try:
            answer = await self._get(vma, endpoint, asked_id)
            if answer.status is VMAStatus.UNREACHABLE and knock is not None:
                await knock
        except CouldNotAsk:
            circuit.not_asked(leave)
            raise
        except BaseException:
            # Above all the probe's time-out. Whatever it is, a pilot must not be left in the air.
            circuit.failed(leave, f"no answer within {self._timeout:g} s")
            raise
        if answer.status is VMAStatus.UNREACHABLE:
            circuit.failed(leave, answer.detail or "unreachable")
        else:
            circuit.answered()
        return answer

    async def _knock(self, vma: str) -> None:
        """Ask a VMA for itself beside a pilot, for the pilot's own id may be the one that hangs."""
        if await self._is_there(vma):
            self.circuits[vma].is_there()

    async def _is_there(self, vma: str) -> bool:
        """Whether the VMA's own server answers, whatever it says."""
        address = self._addresses[vma]
        try:
            async with self._client.stream("GET", address.health, auth=address.login) as response:
                return response.status_code not in TUNNEL_ERRORS
        except (httpx.HTTPError, aiohttp.ClientError, httpx.InvalidURL, ValueError):
            return False

    async def _get(self, vma: str, endpoint: str, asked_id: str) -> Answer:
        began = self._clock.monotonic()
        address = self._addresses[vma]
        try:
            async with self._client.stream("GET", address.of(endpoint, asked_id), auth=address.login) as response:
                body = await _read_bounded(response)
        except httpx.HTTPError as error:
            _insist_that_it_left(error)
            return self._unreachable(asked_id, self._since(began), address.in_words(error))
        except (aiohttp.ClientError, httpx.InvalidURL, ValueError) as error:
            # The transport lets aiohttp's own errors for malformed HTTP through.
            return self._garbled(asked_id, self._since(began), address.in_words(error))
        if body is None:
            return self._garbled(asked_id, self._since(began), f"more than {MAX_BODY} bytes of body")
        return address.read(asked_id, response.status_code, body, self._since(began))

    def _since(self, began: float) -> float:
        return round((self._clock.monotonic() - began) * 1000, 1)

    def _silent(self, asked_id: str) -> Answer:
        detail = f"no answer within {self._timeout:g} s"
        return self._unreachable(asked_id, self._timeout * 1000, detail)

    @staticmethod
    def _unreachable(asked_id: str, latency_ms: float, detail: str) -> Answer:
        return Answer(asked_id=asked_id, status=VMAStatus.UNREACHABLE, latency_ms=latency_ms, detail=detail)

    @staticmethod
    def _garbled(asked_id: str, latency_ms: float, detail: str) -> Answer:
        return Answer(asked_id=asked_id, status=VMAStatus.UNINTELLIGIBLE, latency_ms=latency_ms, detail=detail)


def _insist_that_it_left(error: BaseException) -> None:
    """Tell a question that failed on its way from one that never left, for want of a file or of memory here.

    Raises:
        CouldNotAsk: it did not leave.

    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in OUR_LIMITS:
            raise CouldNotAsk(f"this machine has no means to ask a VMA now: {cause.strerror}") from error
        cause = cause.__cause__ or cause.__context__


@cache
def _authorities() -> ssl.SSLContext:
    """Read the certificate authorities once in a process: that takes longer than making a client."""
    return httpx.create_ssl_context(trust_env=False)


async def _read_bounded(response: httpx.Response) -> bytes | None:
    """Read the body as it was sent, at most `MAX_BODY` bytes of it; None if there is more."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > MAX_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
