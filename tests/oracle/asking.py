"""Asks a running service, by HTTP and by its commands, and compares each answer with the log's."""

import hashlib
import http.client
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.oracle import log, of_contexts, of_events, of_jobs, of_runs
from tests.oracle.past import Past
from tests.oracle.question import Draw, Question

KINDS = {**of_jobs.KINDS, **of_contexts.KINDS, **of_events.KINDS, **of_runs.KINDS}
COMMAND = Path(sys.executable).with_name("job-recovery")
EXIT_CODES = {0: 200, 4: 404, 2: 422}

PATIENCE = 30
"""Seconds."""
PAGES = 3
"""Pages of a list that are asked for, one after the other."""

FRESH = 20
"""Questions after which the read model's position is looked up again."""


class Difference(AssertionError):
    """An answer that is not the one that the log gives."""


class Asker:
    """Asks random questions; a seed determines which, for the same log."""

    def __init__(self, seed: int, event_log: Path | log.Schema, commands: float) -> None:
        """`commands` is the share of questions that are asked by the command line, where there is a command."""
        self.past = Past()
        self.asked: Counter[str] = Counter()
        self._seed = seed
        self._log = event_log
        self._commands = commands
        self._draw = Draw(random.Random(seed), self.past)
        self._seen = self._next_look = 0
        self._tags: dict[tuple[str, str], bytes] = {}
        self._url = ""
        self._connection = _connection("http://localhost")

    def connect(self, url: str) -> None:
        """Ask the service at this address from now on."""
        self.close()
        self._url = url.rstrip("/")
        self._connection = _connection(url)

    def close(self) -> None:
        """Close the connection, if it is open."""
        self._connection.close()

    def refresh(self) -> None:
        """Read what the log has now."""
        events, seals = log.read(self._log, self.past.head)
        self.past.add(events)
        self.past.seals |= seals

    def ask_until(self, count: int) -> None:
        """Ask until so many questions were asked in all.

        Raises:
            Difference: an answer differs; the message has the question, both answers and the seed.

        """
        while self.asked.total() < count:
            self.ask()

    def ask(self) -> None:
        """Ask one question, and for further pages if its answer has some."""
        if self.asked.total() >= self._next_look:
            self._look()
        kind = self._draw.rng.choices(list(KINDS), list(KINDS.values()))[0]
        question: Question | None = kind(self._draw)
        for _ in range(PAGES):
            if question is None:
                return
            by_command = question.command is not None and self._draw.chance(self._commands)
            self.asked[f"{kind.__name__}, command" if by_command else kind.__name__] += 1
            status, given = self._answer(question, by_command=by_command)
            if not self._is_right(question, status, given):
                raise self._difference(question, status, given)
            has_more = status == http.client.OK and question.more is not None and given["next_cursor"]
            question = question.more(given) if question.more and has_more else None

    def _look(self) -> None:
        """Look up how far the read model is: no later answer is of an earlier position."""
        self._next_look = self.asked.total() + FRESH
        items = json.loads(self._get("/api/v1/audit?limit=1")[1])["items"]
        self._seen = items[0]["position"] if items else 0
        self.refresh()

    def _answer(self, question: Question, *, by_command: bool) -> tuple[int, Any]:
        answer = self._by_command(question) if by_command else self._by_http(question)
        self.refresh()
        return answer

    @property
    def _moments(self) -> range:
        """Return every position that the read model had or may have had when it answered."""
        return range(self.past.head, self._seen - 1, -1)

    def _is_right(self, question: Question, status: int, given: Any) -> bool:
        shown = question.shown(given) if status == http.client.OK else None
        if question.parts and shown is not None:
            possible = [question.answer(head)[1] for head in self._moments]
            return all(any(shown[name] == one[name] for one in possible) for name in shown)
        return any(_same(question.answer(head), (status, shown)) for head in self._moments)

    def _difference(self, question: Question, status: int, given: Any) -> Difference:
        """Return the difference from the closest of the possible answers."""
        answer = (status, question.shown(given) if status == http.client.OK else None)
        closest = min((list(differences(question.answer(head), answer)) for head in self._moments), key=len)
        asked = f"GET {question.url} (command: {question.command})"
        told = f"seed {self._seed}, question {self.asked.total()}, position {self.past.head}: {asked}"
        return Difference("\n".join([told, *closest, f"answer: {json.dumps(given)[:4000]}"]))

    def _by_http(self, question: Question) -> tuple[int, Any]:
        if question.streamed:
            return http.client.OK, self._first_streamed(question.url)
        response, body = self._get(question.url)
        if tag := response.headers["ETag"]:
            self._check_tag(question.url, tag, body)
        is_text = question.text and response.status == http.client.OK
        return response.status, body.decode() if is_text else json.loads(body)

    def _get(self, url: str) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the answer over the open connection, or over a new one: the service closes one that is idle."""
        try:
            return self._exchange(url)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            return self._exchange(url)

    def _exchange(self, url: str) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request("GET", url)
        response = self._connection.getresponse()
        return response, response.read()

    def _check_tag(self, url: str, tag: str, body: bytes) -> None:
        """Check that two answers with one ETag are the same, byte for byte."""
        digest = hashlib.sha256(body).digest()
        if self._tags.setdefault((url, tag), digest) != digest:
            raise Difference(f"seed {self._seed}: GET {url} has the ETag {tag} of another answer: {body!r}")

    def _first_streamed(self, url: str) -> Any:
        connection = _connection(self._url)
        connection.request("GET", url)
        response = connection.getresponse()
        try:
            return next(json.loads(line[5:]) for line in iter(response.readline, b"") if line.startswith(b"data:"))
        finally:
            response.close()
            connection.close()

    def _by_command(self, question: Question) -> tuple[int, Any]:
        assert question.command is not None
        own = {name: value for name, value in os.environ.items() if not name.startswith("JOB_RECOVERY_")}
        line = [str(COMMAND), *question.command, "--url", self._url, *([] if question.text else ["--json"])]
        done = subprocess.run(line, capture_output=True, text=True, env=own, check=False)  # noqa: S603 - our own
        status = EXIT_CODES.get(done.returncode, 500)
        if status != http.client.OK:
            return status, done.stderr
        return status, done.stdout if question.text else json.loads(done.stdout)


def _connection(url: str) -> http.client.HTTPConnection:
    """Return a connection, which opens with the first request."""
    address = urlsplit(url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)


def differences(expected: Any, given: Any, path: str = "") -> Iterator[str]:
    """Yield each place where two answers differ, with both values."""
    if isinstance(expected, dict) and isinstance(given, dict):
        for name in expected.keys() | given.keys():
            yield from differences(expected.get(name, "-"), given.get(name, "-"), f"{path}.{name}")
    elif isinstance(expected, list | tuple) and isinstance(given, list | tuple):
        for number, (one, other) in enumerate(zip_longest(expected, given, fillvalue="-")):
            yield from differences(one, other, f"{path}[{number}]")
    elif expected != given:
        yield f"{path}: expected {json.dumps(expected)[:1000]}, given {json.dumps(given)[:1000]}"


def _same(expected: tuple[int, Any], given: tuple[int, Any]) -> bool:
    return expected[0] == given[0] and (expected[1] is None or expected[1] == given[1])
