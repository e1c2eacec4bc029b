"""Ids that hang or fail do not block others, and do not make the VMA unreachable."""

import asyncio
import resource

from adapters.simulated_vma import SimulatedVMA
from adapters.vma.client import HttpVMA
from domain.ports import ProbeTarget
from domain.vma_status import VMAStatus
from tests.support.probing import JOB, asking, last_status, probe


async def test_an_id_that_hangs_does_not_block_others(vma: SimulatedVMA, client: HttpVMA) -> None:
    vma.faults.set("hang", id="migration-vol-hangs")
    vma.world.add_job("job-0", ["hangs"], progress=41.0, duration=3600)
    hanging, other = ProbeTarget("job-0", "default", ("hangs",)), JOB

    found = await asyncio.gather(probe(client, hanging), *(probe(client, other) for _ in range(5)))

    assert found[0].answers[0].status is VMAStatus.UNANSWERED
    assert found[0].answers[0].detail == "no answer within 2.5 s, while the VMA answers others"
    assert [seen.status for seen in found[1:]] == [VMAStatus.RUNNING] * 5
    assert client.circuits["default"].state == "closed"


async def test_many_ids_that_hang_do_not_block_others(vma: SimulatedVMA, client: HttpVMA) -> None:
    targets = [ProbeTarget(f"job-{n}", "default", (f"hangs-{n}",)) for n in range(12)]
    for target in targets:
        vma.faults.set("hang", id=f"migration-vol-{target.volume_ids[0]}")

    for _ in range(2):
        found = await asyncio.gather(*(probe(client, target) for target in [*targets, JOB]))
        assert [seen.answers[0].status for seen in found] == [*[VMAStatus.UNANSWERED] * 12, VMAStatus.RUNNING]
    assert client.circuits["default"].state == "closed"


async def test_a_tunnel_that_never_answers_costs_a_thousand_jobs_one_timeout() -> None:
    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)

    connected: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    targets = [ProbeTarget(f"job-{n}", "default", (f"disk-{n}",)) for n in range(1000)]

    async with asking(url, circuit_rest=30.0) as client:
        observations = await asyncio.gather(*(probe(client, target) for target in targets))

        assert {o.status for o in observations} == {VMAStatus.UNREACHABLE}
        assert client.circuits["default"].state == "open"
        assert len(connected) == 2, "one request, and one health check"
    for writer in connected:
        writer.close()
    server.close()


async def test_a_vma_that_answers_for_no_id_is_not_down(vma: SimulatedVMA) -> None:
    targets = [ProbeTarget(f"job-{n}", "default", (f"disk-{n}",)) for n in range(20)]
    for target in targets:
        vma.faults.set("hang", id=f"migration-vol-{target.volume_ids[0]}")
        vma.faults.set("hang", id=target.job_id)

    async with asking(vma.url, probe_timeout=0.5) as client:
        found = await asyncio.gather(*(probe(client, target) for target in targets))

        assert {answer.status for seen in found for answer in seen.answers} == {VMAStatus.UNANSWERED}
        assert client.circuits["default"].state == "closed"


async def test_one_id_that_fails_among_many_does_not_open_the_circuit(vma: SimulatedVMA, client: HttpVMA) -> None:
    vma.world.add_job("job-2", ["disk-2"], duration=3600)
    vma.faults.set("reset", id="migration-vol-disk-2")
    second = ProbeTarget("job-2", "default", ("disk-2",))

    seen = [await probe(client, target) for target in (JOB, second, JOB)]

    assert [one.answers[0].status for one in seen] == [VMAStatus.RUNNING, VMAStatus.UNANSWERED, VMAStatus.RUNNING]


async def test_a_request_that_was_not_sent_for_lack_of_a_file_tells_nothing_about_the_vma(client: HttpVMA) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        seen = await probe(client)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert last_status(seen) is VMAStatus.NOT_ASKED
    assert "this machine cannot connect to VMA default now: Too many open files" in seen.summary()
    assert client.circuits["default"].state == "half-open"
    assert (await probe(client)).status is VMAStatus.RUNNING
