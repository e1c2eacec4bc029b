"""Requests that another instance answers: they are sent on once, and an answer that does not come is told."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from starlette.requests import Request

from adapters.simulated_vma import HeldPort
from api.http.owner import from_instance
from api.runtime.bootstrap import Service
from api.runtime.peers import FORWARDED, InstanceSilent, Peers
from domain.ports import Instance
from tests.support.builders import instance

PATH = "/api/v1/polling/job%2F1"


class Peer:
    """Another instance, which records what it is asked."""

    def __init__(self, status: int) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Content-Type", "application/problem+json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def instance(self) -> Instance:
        host, port = self.server.server_address[:2]
        return msgspec.structs.replace(instance("other"), address=f"http://{host!s}:{port}")


@contextmanager
def peer(status: int = 404) -> Iterator[Peer]:
    running = Peer(status)
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    peers = Peers()
    yield cast("Service", SimpleNamespace(peers=peers))
    await peers.close()


def request(**headers: str) -> Request:
    sent = {"authorization": "Bearer abc", "cookie": "private", "content-type": "application/json", **headers}
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/polling/job/1",
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }

    async def body() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"a": 1}', "more_body": False}

    return Request(scope, body)


async def test_a_request_is_sent_on_as_it_is_with_its_token_and_the_answer_is_that_of_the_owner(
    service: Service,
) -> None:
    with peer() as other:
        answer = await from_instance(service, request(), other.instance)

    assert answer is not None
    assert (answer.status_code, answer.body, answer.media_type) == (404, b"{}", "application/problem+json")
    ((method, path, headers, body),) = other.asked
    assert (method, path, body) == ("POST", PATH, b'{"a": 1}')
    assert (headers["authorization"], headers[FORWARDED.lower()], "cookie" in headers) == ("Bearer abc", "1", False)


async def test_one_that_was_sent_on_is_answered_here_whoever_the_owner_is(service: Service) -> None:
    with peer() as other:
        assert await from_instance(service, request(**{FORWARDED.lower(): "1"}), other.instance) is None
        assert await from_instance(service, request(), None) is None

    assert other.asked == []


@pytest.mark.parametrize("status", [401, 403])
async def test_an_owner_that_refuses_the_token_is_named_with_what_to_do(service: Service, status: int) -> None:
    told = rf"instance other .* refused the token \(HTTP {status}\): it learns of a new one"
    with peer(status) as other, pytest.raises(InstanceSilent, match=told):
        await from_instance(service, request(), other.instance)


async def test_an_owner_that_does_not_answer_is_named_with_its_address(service: Service) -> None:
    with HeldPort() as port:
        silent = msgspec.structs.replace(instance("other"), address=f"http://127.0.0.1:{port.number}")
        with pytest.raises(InstanceSilent, match=rf"did not answer within 1 s .* at http://127.0.0.1:{port.number}"):
            await from_instance(service, request(), silent)
