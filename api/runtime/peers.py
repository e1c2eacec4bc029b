"""Requests to the other instances that share the event log."""

from collections.abc import Mapping

import httpx

from domain.errors import StorageUnavailable
from domain.ports import Instance

WITHIN = 1.0
"""Seconds within which another instance must answer."""

FORWARDED = "Job-Recovery-Forwarded"
"""The header of a request that another instance sends on; it is answered here in any case."""

REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


class InstanceSilent(StorageUnavailable):
    """Another instance, which alone knows the answer, does not give it."""


class Peers:
    """Asks other instances at the addresses that they tell."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self._client: httpx.AsyncClient | None = None

    async def ask(
        self, instance: Instance, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        """Return another instance's answer to a request.

        Raises:
            InstanceSilent: it does not answer in time, or does not accept the caller's token.

        """
        sent = {**headers, FORWARDED: "1"}
        try:
            answer = await self._connected().request(method, instance.address + path, headers=sent, content=body)
        except httpx.HTTPError as error:
            raise _silent(instance, f"did not answer within {WITHIN:g} s ({type(error).__name__})") from None
        if answer.status_code in REFUSED:
            raise _silent(instance, f"refused the token (HTTP {answer.status_code}): it learns of a new one within 1 s")
        return answer

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    def _connected(self) -> httpx.AsyncClient:
        """Return the client, made when it is first needed: it loads the public authorities, which a start is spared."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=WITHIN, trust_env=False)
        return self._client


def _silent(instance: Instance, why: str) -> InstanceSilent:
    return InstanceSilent(
        f"this is known to the instance {instance.id} only, which {why}. Ask it at {instance.address}, or again later: "
        "what it watches has another owner soon after it ends"
    )
