"""What an instance does with the events that others have stored: they concern it, or they do not."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.application import JobRecovery
from domain.errors import NotOwner, VolumeBusy
from domain.events import Event
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from tests.support.builders import registration
from tests.support.harness import REQUEST, RUNNING, Harness


class Owning:
    """The owner of one VMA."""

    def __init__(self, vma: str) -> None:
        self.vma: str | None = vma

    def owns(self, vma: str) -> bool:
        return vma == self.vma

    def share_of(self, vma: str) -> str:
        return vma


class Pair:
    """The harness's instance, which owns `default`, and another on the same log, which owns `other`."""

    def __init__(self, harness: Harness) -> None:
        self.harness, self.owning = harness, Owning("default")
        self.mine = JobRecovery(harness.event_log, harness.clock, harness.policy, self.owning)
        self.other = JobRecovery(harness.event_log, harness.clock, harness.policy, Owning("other"))
        self.told: list[str] = []
        self.mine.subscribe(lambda job, _: self.told.append(f"{job.id} {job.state.value}"))
        self.stored: list[Event] = []
        self.other.subscribe(self._record)

    async def follow(self) -> None:
        """Take in what the other one has stored."""
        events, self.stored = self.stored, []
        await self.mine.take_in(self.mine.follow(events))

    def watched(self) -> list[str]:
        return sorted(job.id for job in self.mine.watched)

    def _record(self, _: ReplicationJob, events: Sequence[Event]) -> None:
        self.stored += events


@pytest.fixture
def pair(harness: Harness) -> Pair:
    return Pair(harness)


async def test_a_job_that_another_registers_on_my_vma_is_watched_and_one_on_its_own_is_not(pair: Pair) -> None:
    await pair.other.register(registration("job-1", vm_context_id="c1", volume_ids=("a",)), REQUEST)
    await pair.other.register(registration("job-2", vm_context_id="c2", volume_ids=("b",), vma="other"), REQUEST)

    await pair.follow()

    assert (pair.watched(), pair.told) == (["job-1"], ["job-1 replicating"])


async def test_a_job_that_i_register_on_the_vma_of_another_is_not_kept_in_memory(pair: Pair) -> None:
    await pair.mine.register(registration("job-1", vma="other"), REQUEST)

    assert pair.watched() == []
    assert (await pair.mine.job("job-1")).is_open


async def test_what_another_decides_of_my_job_ends_it_here(pair: Pair) -> None:
    await pair.mine.register(registration("job-1"), REQUEST)
    await pair.other.operator_decide("job-1", Outcome.FAIL, "mara", "by hand", REQUEST)

    await pair.follow()

    assert (pair.watched(), pair.told[-1]) == ([], "job-1 failed")


async def test_what_follows_from_watching_is_stored_by_the_owner_only(pair: Pair) -> None:
    await pair.mine.register(registration("job-1"), REQUEST)
    pair.harness.vma.says["job-1"] = RUNNING
    seen = await pair.harness.contact.ask(await pair.mine.job("job-1"))

    with pytest.raises(NotOwner, match="job-1 is watched by another instance"):
        await pair.other.observe("job-1", seen)
    # A worker's report is a request, which any instance takes.
    assert (await pair.other.observe("job-1", seen, REQUEST)).version == 2
    await pair.follow()
    assert (await pair.mine.job("job-1")).version == 2


async def test_a_volume_that_another_has_given_to_a_job_is_busy_here_too(pair: Pair) -> None:
    await pair.mine.register(registration("job-1", vm_context_id="c1", volume_ids=("a",)), REQUEST)
    await pair.other.register(registration("job-2", vm_context_id="c2", volume_ids=("b",)), REQUEST)
    await pair.follow()

    with pytest.raises(VolumeBusy, match="job-2"):
        await pair.mine.register(registration("job-3", vm_context_id="c3", volume_ids=("b",)), REQUEST)
    await pair.mine.register(registration("job-4", vm_context_id="c4", volume_ids=("c",)), REQUEST)


async def test_the_jobs_of_a_vma_that_is_lost_are_dropped_and_the_others_are_not(pair: Pair) -> None:
    await pair.mine.register(registration("job-1"), REQUEST)
    pair.owning.vma = "other"

    dropped = pair.mine.drop_unowned()

    assert ([job.id for job in dropped], pair.watched(), pair.mine.drop_unowned()) == (["job-1"], [], [])
    assert not pair.mine.may_be_open("job-1")


async def test_a_job_that_another_changes_while_it_is_loaded_is_loaded_as_it_is_now(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pair.other.register(registration("job-1"), REQUEST)
    pair.stored.clear()
    honest, loaded, go_on = pair.harness.event_log.load_many, asyncio.Event(), asyncio.Event()

    async def slowly(*asked: Any) -> Any:
        found = await honest(*asked)
        loaded.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(pair.harness.event_log, "load_many", slowly)
    loading = asyncio.ensure_future(pair.mine.preload(["job-1"]))
    await loaded.wait()
    await pair.other.operator_decide("job-1", Outcome.FAIL, "mara", "by hand", REQUEST)
    pair.mine.follow(pair.stored)
    go_on.set()

    (job,) = await loading

    assert (job.is_open, pair.watched()) == (False, [])


async def test_the_open_jobs_of_some_shares_are_found_without_the_others_and_without_those_that_have_ended(
    pair: Pair,
) -> None:
    for number, vma in enumerate(("default", "other", "default"), start=1):
        asked = registration(f"job-{number}", vm_context_id=f"c{number}", volume_ids=(f"v{number}",), vma=vma)
        await pair.other.register(asked, REQUEST)
    await pair.other.operator_decide("job-1", Outcome.FAIL, "mara", "by hand", REQUEST)

    assert await pair.mine.open_jobs({"default"}) == ["job-3"]
    assert await pair.mine.open_jobs({"other"}) == ["job-2"]
    assert await pair.mine.open_jobs() == ["job-2", "job-3"]
