"""Bodies: one within the limits reaches the application whole, and the first byte or field beyond them is refused."""

from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.http.limits import MAX_BODY, MAX_FIELDS, MAX_FILES, BoundedBodies, open_file_limit

GONE: Message = {"type": "http.disconnect"}


class Recorder:
    """An application that records what it receives, and responds with 200."""

    def __init__(self) -> None:
        self.received: list[Message] = []

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.received += [await receive(), await receive()]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def pieces(*bodies: bytes) -> list[Message]:
    """Return a request's messages, one for each piece of its body; after them the client has disconnected."""
    last = len(bodies) - 1
    sent = [{"type": "http.request", "body": body, "more_body": n < last} for n, body in enumerate(bodies)]
    return [*sent, GONE]


async def exchanged(messages: Iterable[Message], kind: str = "http") -> tuple[int, list[Message]]:
    """Return the status of the response, and what the application received."""
    app, left, sent = Recorder(), iter(messages), []

    async def receive() -> Message:
        return next(left)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": kind, "method": "POST", "path": "/jobs", "headers": [], "query_string": b"", "server": ("x", 80)}
    await BoundedBodies(app)(scope, receive, send)
    return sent[0]["status"], app.received


@pytest.mark.parametrize("first", [MAX_BODY, 1, 0])
async def test_a_body_of_the_maximum_passes_and_one_byte_more_does_not(first: int) -> None:
    assert (await exchanged(pieces(b"x" * first, b"x" * (MAX_BODY - first))))[0] == 200
    for _ in range(3):
        assert await exchanged(pieces(b"x" * first, b"x" * (MAX_BODY - first), b"y")) == (413, [])

    assert (await exchanged(pieces(b"x" * MAX_BODY)))[0] == 200


async def test_a_body_with_the_maximum_of_fields_passes_and_one_field_more_does_not() -> None:
    assert (await exchanged(pieces(b":" * 1000, b":" * (MAX_FIELDS - 1000))))[0] == 200
    assert await exchanged(pieces(b":" * 1000, b":" * (MAX_FIELDS - 999))) == (413, [])


async def test_a_body_in_pieces_is_received_whole_and_once() -> None:
    status, received = await exchanged(pieces(b'{"job', b"_id", b'": 1}'))

    assert status == 200
    assert received == [{"type": "http.request", "body": b'{"job_id": 1}', "more_body": False}, GONE]


async def test_a_client_that_disconnects_within_its_body_is_known_to_have() -> None:
    begun: Message = {"type": "http.request", "body": b"{", "more_body": True}

    _, received = await exchanged([begun, GONE, GONE])

    assert [message["type"] for message in received] == ["http.disconnect", "http.disconnect"]


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_no_request_is_passed_on_as_it_is(kind: str) -> None:
    sent = pieces(b"x" * (MAX_BODY + 1))

    assert await exchanged(sent, kind) == (200, sent)


@pytest.mark.parametrize(
    ("soft", "hard", "limit"),
    [(256, 4096, 4096), (4096, 4096, 4096), (256, -1, MAX_FILES), (20_000, -1, 20_000), (256, 1_048_576, 1_048_576)],
)
def test_open_files_are_limited_by_the_hard_limit_or_where_it_is_infinite_by_what_a_process_may_have(
    soft: int, hard: int, limit: int
) -> None:
    assert open_file_limit(soft, hard) == limit
