"""What is due comes out once, in order, and nothing is left out."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from domain.processes.schedule import Schedule
from tests.support.clock import BOOTED, FakeClock
from tests.support.harness import while_running


def test_a_job_that_is_put_again_is_due_at_the_later_time_only() -> None:
    agenda = Schedule()
    agenda.put("job-1", 1.0)
    agenda.put("job-1", 5.0)

    assert agenda.pop_all_due(4.9) == []
    assert agenda.pop_all_due(5.0) == ["job-1"]
    assert agenda.pop_all_due(9.9) == []


def test_a_dropped_job_is_not_due() -> None:
    agenda = Schedule()
    agenda.put("job-1", 1.0)
    agenda.drop("job-1")
    agenda.drop("job-1")

    assert (agenda.pop_due(2.0), len(agenda), "job-1" in agenda) == (None, 0, False)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 100), max_size=30), st.floats(0, 100))
def test_exactly_what_is_due_comes_out_in_the_order_of_its_time(due: dict[str, float], now: float) -> None:
    agenda = Schedule()
    for job_id, at in due.items():
        agenda.put(job_id, at)

    taken = agenda.pop_all_due(now)

    assert sorted(taken) == sorted(job_id for job_id, at in due.items() if at <= now)
    assert [due[job_id] for job_id in taken] == sorted(due[job_id] for job_id in taken)
    assert len(agenda) == len(due) - len(taken)


def test_a_job_is_known_with_its_time_until_it_comes_out_and_another_after_it() -> None:
    agenda = Schedule()
    agenda.put("job-1", 1.0)
    agenda.put("job-2", 3.0)

    assert agenda.pop_due(2.0) == ("job-1", 1.0)
    assert agenda.pop_due(2.0) is None

    assert ("job-1" in agenda, agenda.due_at("job-1")) == (False, None)
    assert ("job-2" in agenda, agenda.due_at("job-2")) == (True, 3.0)


def test_of_jobs_that_are_due_at_the_same_time_the_first_that_was_put_comes_out_first() -> None:
    agenda = Schedule()
    for job_id in ("job-2", "job-1", "job-3"):
        agenda.put(job_id, 1.0)

    assert agenda.pop_all_due(1.0) == ["job-2", "job-1", "job-3"]


async def test_each_job_is_called_when_it_is_due_and_not_before() -> None:
    agenda, clock, called = Schedule(), FakeClock(), list[tuple[str, float]]()

    async def call(job_id: str) -> None:
        called.append((job_id, clock.elapsed))

    agenda.put("job-2", BOOTED + 2.0)
    agenda.put("job-1", BOOTED + 1.0)
    await while_running(agenda.follow(clock, call, 0.5), lambda: clock.elapsed >= 5.0)

    assert [job_id for job_id, _ in called] == ["job-1", "job-2"]
    for (_, at), due in zip(called, (1.0, 2.0), strict=True):
        assert due <= at <= due + 0.5


async def test_a_call_that_takes_long_delays_no_other_job_and_is_the_only_one_of_its_job() -> None:
    agenda, clock, called, go_on = Schedule(), FakeClock(), list[str](), asyncio.Event()

    async def call(job_id: str) -> None:
        called.append(job_id)
        agenda.put(job_id, clock.monotonic() + 1.0)
        if job_id == "slow":
            await go_on.wait()

    def slow_again() -> bool:
        if called.count("quick") >= 5 and not go_on.is_set():
            assert called.count("slow") == 1
            go_on.set()
            agenda.put("slow", clock.monotonic() + 1.0)
        return called.count("slow") >= 2

    agenda.put("slow", BOOTED)
    agenda.put("quick", BOOTED)
    await while_running(agenda.follow(clock, call, 0.5), slow_again)
