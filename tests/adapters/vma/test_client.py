"""A probe against a real HTTP server is always bounded, and gives exactly one status."""

import asyncio
import base64
import time
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from aiohttp import web

from adapters.simulated_vma import SimulatedVMA
from adapters.simulated_vma.faults import FAULTS
from adapters.vma.client import HttpVMA
from domain.ports import ProbeTarget
from domain.vma_status import VMAStatus
from tests.support.probing import answering, asking, last_status, probe

U = VMAStatus.UNINTELLIGIBLE


FOUND: list[tuple[str, dict[str, Any], VMAStatus]] = [
    ("hang", {}, VMAStatus.UNREACHABLE),
    ("drip", {}, VMAStatus.UNANSWERED),
    ("slow", {"seconds": 60}, VMAStatus.UNREACHABLE),
    ("reset", {}, VMAStatus.UNREACHABLE),
    ("refuse", {}, VMAStatus.UNREACHABLE),
    ("status", {"code": 502}, VMAStatus.UNREACHABLE),
    ("status", {"code": 503}, VMAStatus.UNREACHABLE),
    ("status", {"code": 504}, VMAStatus.UNREACHABLE),
    ("short_body", {}, VMAStatus.UNANSWERED),
    ("status", {"code": 429}, VMAStatus.UNANSWERED),
    ("status", {"code": 401}, VMAStatus.NOT_ASKED),
    ("status", {"code": 403}, VMAStatus.NOT_ASKED),
    ("status", {"code": 407}, VMAStatus.NOT_ASKED),
    ("unauthorized", {}, VMAStatus.NOT_ASKED),
    ("tunnel", {}, VMAStatus.UNREACHABLE),
    ("word", {}, VMAStatus.RUNNING),
    ("word", {"word": "gone fishing"}, U),
    ("percentage", {}, VMAStatus.RUNNING),
    ("status", {"code": 500}, U),
    ("status", {"code": 404}, U),
    ("html", {}, U),
    ("truncated", {}, U),
    ("nan", {}, U),
    ("wrong_id", {}, U),
    ("huge", {}, U),
    ("redirect", {}, U),
    ("empty", {}, U),
    ("gzip_bomb", {}, U),
    ("list", {}, U),
    ("deep", {}, U),
    ("bad_utf8", {}, U),
    ("out_of_range", {}, VMAStatus.RUNNING),
    ("unknown_fields", {}, VMAStatus.RUNNING),
    ("missing_fields", {}, VMAStatus.RUNNING),
]


def test_every_fault_of_the_simulated_vma_is_tried() -> None:
    assert {name for name, _, _ in FOUND} == {*FAULTS, "refuse"}


@pytest.mark.parametrize(("fault", "how", "status"), FOUND, ids=[f"{name}-{how}" for name, how, _ in FOUND])
async def test_every_reply_gives_one_status_within_the_time_limit(
    vma: SimulatedVMA, client: HttpVMA, fault: str, how: dict[str, Any], status: VMAStatus
) -> None:
    vma.faults.set(fault, **how)
    began = time.monotonic()

    observation = await probe(client)

    assert last_status(observation) is status
    assert all(answer.detail for answer in observation.answers if answer.document is None)
    assert sum(len(answer.excerpt or "") for answer in observation.answers) < 4096
    assert time.monotonic() - began < 20.0


async def test_a_job_is_asked_for_by_its_exports_and_by_its_own_id_only_where_none_answers(
    vma: SimulatedVMA, client: HttpVMA
) -> None:
    vma.world.add_job("job-2", ["disk-2"], reports="job_id", duration=3600)

    by_export = await probe(client)
    by_job = await probe(client, ProbeTarget("job-2", "default", ("disk-2",)))

    assert [a.asked_id for a in by_export.answers] == ["migration-vol-disk-1"]
    assert [a.asked_id for a in by_job.answers] == ["migration-vol-disk-2", "job-2"]
    assert (by_export.status, by_job.status) == (VMAStatus.RUNNING, VMAStatus.RUNNING)


@pytest.mark.parametrize(("fault", "how", "status"), FOUND, ids=[f"{name}-{how}" for name, how, _ in FOUND])
async def test_no_usable_answer_under_the_jobs_own_id_is_not_not_found(
    vma: SimulatedVMA, client: HttpVMA, fault: str, how: dict[str, Any], status: VMAStatus
) -> None:
    """The exports are truthfully unknown, because this worker reports under the job's id.

    A failure of this id alone, while the VMA answers for the others, is unanswered.
    """
    alone = VMAStatus.UNANSWERED if status is VMAStatus.UNREACHABLE and fault != "refuse" else status
    vma.world.add_job("job-2", ["disk-2"], reports="job_id", progress=95.0, duration=3600)
    vma.faults.set(fault, **how) if fault == "refuse" else vma.faults.set(fault, id="job-2", **how)

    observation = await probe(client, ProbeTarget("job-2", "default", ("disk-2",)))

    assert last_status(observation) is alone


@pytest.mark.parametrize(("code", "status"), [(404, VMAStatus.NOT_FOUND), (405, VMAStatus.NOT_FOUND), (500, U)])
async def test_a_missing_coarse_status_tells_nothing_and_a_broken_one_is_inconclusive(
    code: int, status: VMAStatus
) -> None:
    async def answer(request: web.Request) -> web.Response:
        unknown = web.Response(status=404, text="job not found")
        return unknown if "/progress/" in request.path else web.Response(status=code, text="<html>nothing here</html>")

    async with answering(answer) as url, asking(url) as client:
        assert (await probe(client)).status is status


def by_name(url: str) -> str:
    """Return the address with the host's name: cookies of plain IP addresses are dropped anyway."""
    return url.replace("127.0.0.1", "localhost")


NAMES = [
    "ctx-PhilB Test machine-20250909-113839",
    "a%20b",
    "100%",
    "a%2Fb",
    "a+b",
    "a#b",
    "a?b=c",
    "a&b;c=d",
    "(a) 'b' \"c\" <d>",
    r"a\b|c^d`e",
    "größe",
    "日本 語",
    "e\u0301",
    "💩",
    "[x]",
    "..a",
    "...",
    "%2e%2e",
    "~!@$*,:=",
]


@pytest.mark.parametrize("name", NAMES)
async def test_an_id_of_any_form_is_encoded_exactly_once(name: str) -> None:
    """The client encodes it, and none of the libraries below does again."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked_id = unquote(request.raw_path.rsplit("/", 1)[1])
        if "/progress/" in request.raw_path:
            asked.append(asked_id)
        running = {"job_id": name, "status": "running", "percentage": 41.5}
        return web.json_response(running) if asked_id == name else web.Response(status=404, text="job not found")

    async with answering(answer) as url, asking(url) as client:
        seen = await probe(client, ProbeTarget(name, "default", (name, "disk-2")))

    assert sorted(asked) == sorted([f"migration-vol-{name}", "migration-vol-disk-2", name])
    assert (seen.status, seen.progress_percent) == (VMAStatus.RUNNING, 41.5)


async def test_no_cookie_is_stored_or_sent_to_another_vma_on_the_same_host() -> None:
    """A jar would grow with every reply of a tunnel that counts its requests, until the header is too long."""
    sent: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        if not request.path.endswith("/health"):
            sent.append(request.headers.get("Cookie"))
        return web.Response(status=404, text="job not found", headers={"Set-Cookie": f"n{len(sent)}=secret; Path=/"})

    async with (
        answering(answer) as one,
        answering(answer) as other,
        asking({"default": by_name(one), "second": by_name(other)}) as client,
    ):
        for name in ("default", "second", "default"):
            await probe(client, ProbeTarget("job-1", name, ("disk-1",)))

    assert len(sent) == 9
    assert set(sent) == {None}


async def test_an_old_vma_that_only_knows_the_coarse_status_is_understood(vma: SimulatedVMA, client: HttpVMA) -> None:
    vma.world.add_job("job-2", ["disk-2"], dialect="status_only", progress=30.0, duration=3600)

    observation = await probe(client, ProbeTarget("job-2", "default", ("disk-2",)))

    assert observation.status is VMAStatus.RUNNING


@pytest.mark.parametrize("style", ["404_text", "200_text", "404_json"])
async def test_every_answer_about_an_unknown_id_is_not_found(vma: SimulatedVMA, client: HttpVMA, style: str) -> None:
    vma.faults.set("not_found_style", style=style)

    observation = await probe(client, ProbeTarget("job-9", "default", ("disk-9",)))

    assert observation.status is VMAStatus.NOT_FOUND


@pytest.mark.parametrize("hostile", ["../health", "x\r\nHost: evil", "a/../../b", "a/b", "a\0b", "\u202ea"])
async def test_an_invalid_id_is_never_sent(vma: SimulatedVMA, client: HttpVMA, hostile: str) -> None:
    observation = await probe(client, ProbeTarget(hostile, "default", (hostile,)))

    assert {answer.status for answer in observation.answers} == {VMAStatus.NOT_ASKED}
    assert vma.requests.total == 0


async def test_a_job_of_a_vma_that_is_not_in_the_settings_is_not_asked_with_a_remedy(client: HttpVMA) -> None:
    observation = await probe(client, ProbeTarget("job-1", "dc2", ("disk-1",)))

    assert {answer.status for answer in observation.answers} == {VMAStatus.NOT_ASKED}
    assert "the VMA dc2 is not in the settings: add it to JOB_RECOVERY_VMAS" in observation.summary()
    assert (client.knows("dc2"), client.address_of("dc2")) == (False, None)
    assert (await probe(client)).status is VMAStatus.RUNNING


async def test_the_address_of_a_vma_is_shown_without_its_credentials() -> None:
    async with asking({"dc2": "https://oma:hunter2@vma.example:9081/base/"}) as client:
        assert (client.knows("dc2"), client.address_of("dc2")) == (True, "https://vma.example:9081/base")


async def test_no_proxy_is_taken_from_the_environment(vma: SimulatedVMA, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with asking(vma.url) as client:
        assert (await probe(client)).status is VMAStatus.RUNNING


async def test_user_and_password_of_an_address_are_sent_and_are_in_no_evidence() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asking(f"http://oma:hunter2@127.0.0.1:{port}/") as client:
            seen = await probe(client)

    expected = b"authorization: basic " + base64.b64encode(b"oma:hunter2").lower()
    assert asked
    assert all(expected in request.lower() for request in asked)
    assert last_status(seen) is VMAStatus.NOT_ASKED
    assert (seen.answers[-1].detail or "") == (
        "VMA default: login refused (HTTP 401). Update its address in JOB_RECOVERY_VMA_URL"
    )
    assert b"hunter2" not in msgspec.json.encode(seen)


async def test_a_refused_login_is_shown_until_the_vma_accepts_one_also_while_its_health_needs_none(
    vma: SimulatedVMA,
) -> None:
    async with asking({"default": vma.url, "dc2": vma.url}) as client:
        circuit = client.circuits["default"]
        vma.faults.set("status", code=401, place="ids")
        await probe(client)
        client._channels["default"]._health_answered(await client._get_health("default"))

        assert circuit.last_error == (
            "VMA default: login refused (HTTP 401). Update its address in JOB_RECOVERY_VMA_URL"
        )
        assert (circuit.state, circuit.is_reachable) == ("closed", False)
        assert client.circuits["dc2"].is_reachable

        vma.faults.clear()
        await probe(client)
        assert client.circuits["default"].last_error is None
        assert client.circuits["default"].is_reachable


async def test_a_name_that_cannot_be_resolved_is_not_asked(vma: SimulatedVMA) -> None:
    async with asking({"default": vma.url, "dc2": "http://vma.invalid:9081"}) as client:
        seen = await probe(client, ProbeTarget("job-1", "dc2", ("disk-1",)))

        assert last_status(seen) is VMAStatus.NOT_ASKED
        expected = "the name vma.invalid of VMA dc2 cannot be resolved: check its address in JOB_RECOVERY_VMAS"
        assert expected in seen.summary()
        assert (await probe(client)).status is VMAStatus.RUNNING
