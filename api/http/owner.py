"""Requests about live state are answered by the instance that has it: any instance asks that one."""

from fastapi import Request, Response

from api.runtime.bootstrap import Service
from api.runtime.peers import FORWARDED
from domain.ports import Instance

SENT_ON = ("authorization", "content-type", "x-request-id")


async def from_owner(service: Service, request: Request, vma: str) -> Response | None:
    """Return the answer of the instance that watches a VMA's jobs; None if this one answers.

    Raises:
        InstanceSilent: that instance does not answer.

    """
    return await from_instance(service, request, service.ownership.owner_of(vma))


async def from_instance(service: Service, request: Request, instance: Instance | None) -> Response | None:
    """Return the answer of another instance; None if there is none, or the request was sent on already.

    Raises:
        InstanceSilent: it does not answer.

    """
    if instance is None or FORWARDED in request.headers:
        return None
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    # Encoded as it was: an id may have any character.
    path = request.scope.get("raw_path", b"").decode("ascii") or request.url.path
    answer = await service.peers.ask(instance, request.method, path, headers, await request.body())
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
