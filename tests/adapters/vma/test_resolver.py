"""A name server that does not answer blocks no other work."""

import asyncio
import socket
import threading

import pytest
from aiohttp.abc import ResolveResult

from adapters.vma.resolver import Resolver, system_look_up


class NameServer:
    """Answers when `answers` is set."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked: list[str] = []

    def look_up(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked.append(host)
        assert self.answers.wait(60)
        return system_look_up("127.0.0.1", port, family)


async def test_one_that_does_not_answer_blocks_one_thread_and_its_later_answer_is_used() -> None:
    server = NameServer()
    resolver = Resolver(0.05, server.look_up)

    for _ in range(20):
        with pytest.raises(socket.gaierror, match="the name server does not answer"):
            await resolver.resolve("vma.example", 9081)
    assert await asyncio.to_thread(lambda: "free") == "free"
    server.answers.set()
    for _ in range(200):
        try:
            found = await resolver.resolve("vma.example", 9081)
            break
        except socket.gaierror:
            continue
    else:
        raise AssertionError("its answer was not used")

    assert server.asked == ["vma.example"]
    assert [(address["host"], address["port"]) for address in found] == [("127.0.0.1", 9081)]


async def test_two_look_ups_of_one_name_share_the_answer_and_a_later_one_does_not() -> None:
    server = NameServer()
    server.answers.set()
    resolver = Resolver(30.0, server.look_up)

    first = await asyncio.gather(resolver.resolve("vma.example", 9081), resolver.resolve("vma.example", 9081))
    await resolver.resolve("vma.example", 9081)

    assert first[0] == first[1]
    assert server.asked == ["vma.example"] * 2


@pytest.mark.parametrize("name", ["vma.invalid", "a" * 64 + ".example", "a..b"])
async def test_a_name_without_an_address_is_an_error(name: str) -> None:
    with pytest.raises(OSError, match=r"."):
        await Resolver(30.0).resolve(name, 9081)
