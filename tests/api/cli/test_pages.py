"""A list of the command line has as many items as were asked for, or all, over however many pages of the API."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest

from api.cli.client import PAGE, Client
from tests.support.answering import answering

ITEMS = 2 * PAGE + 500


class _Numbers(BaseHTTPRequestHandler):
    """A list of numbers, in pages as the API has them."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        items = list(range(after, min(ITEMS, after + limit)))
        page = {"items": items, "next_cursor": str(after + limit) if after + limit < ITEMS else None}
        self.send_response(200 if 1 <= limit <= PAGE else 422)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())


@pytest.fixture
def client() -> Iterator[Client]:
    with answering(_Numbers) as address, Client(address, None) as client:
        yield client


@pytest.mark.parametrize("limit", [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, ITEMS - 1])
def test_with_a_limit_there_are_so_many_items_and_a_cursor_to_the_next(client: Client, limit: int) -> None:
    assert client.items("/numbers", limit) == {"items": list(range(limit)), "next_cursor": str(limit)}


@pytest.mark.parametrize("limit", [None, ITEMS, ITEMS + 1, 10 * ITEMS])
def test_without_one_or_with_one_beyond_the_end_there_are_all(client: Client, limit: int | None) -> None:
    assert client.items("/numbers", limit) == {"items": list(range(ITEMS)), "next_cursor": None}
