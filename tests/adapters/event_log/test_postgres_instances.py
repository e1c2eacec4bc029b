"""Instances that share a log: who owns what, who has stopped, and what a former owner cannot do any more."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import psycopg
import pytest

from adapters.event_log import postgres_instances
from adapters.event_log.postgres_schema import Installation
from adapters.event_log.postgres_shares import Keys
from adapters.event_log.postgres_store import PostgresEventLog
from domain.errors import ConcurrentWrite, NotOwner, StorageUnavailable
from domain.events import Cause, Event, Trace
from domain.ports import Instances, PositionAndHead
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun
from tests.adapters.event_log.places import PostgresPlace, registered, verify
from tests.support import postgres as server
from tests.support.builders import NOON, instance

TRIES = 100
"""How often something is tried until it must have happened."""


@contextmanager
def joined(
    place: PostgresPlace, name: str, *vmas: str, position_and_head: PositionAndHead = lambda: (0, 0)
) -> Iterator[tuple[PostgresEventLog, Instances]]:
    """Open the log as an instance."""
    log = PostgresEventLog(place.url, place.schema, instance=name)
    try:
        yield log, log.instances(instance(name, *vmas), position_and_head)
    finally:
        log.close()


def keys_of(place: PostgresPlace) -> Keys:
    ((number, history),) = place.execute("SELECT id, history FROM installation")
    return Keys(place.schema, Installation(number, history))


def end_writer_of(place: PostgresPlace, name: str) -> None:
    """End the session of an instance that has its locks."""
    key = keys_of(place).instance(name)
    lock = "locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = %s"
    ended = server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE {lock}", key)  # noqa: S608
    assert ended == [(True,)]


async def until_stored(log: PostgresEventLog, job_id: str, *, as_owner_of: str | None = None) -> int:
    """Store a registration; the connection to the server may have to be made again first."""
    for _ in range(TRIES):
        try:
            return await log.append(registered(job_id), as_owner_of=as_owner_of)
        except StorageUnavailable:
            await asyncio.sleep(0.1)
        except ConcurrentWrite:
            continue
    raise AssertionError("not stored")


def run_event(run_id: str) -> Sequence[Event]:
    """Return the start of a recovery run, which depends on no registration."""
    run = RecoveryRun(id=run_id)
    run.start(Cause.RESTART, "test", Policy(), (), NOON, Trace(run_id, "test"))
    return run.collect_events()


@asynccontextmanager
async def both(place: PostgresPlace) -> AsyncIterator[tuple[tuple[PostgresEventLog, Instances], ...]]:
    with joined(place, "a", "vma") as one, joined(place, "b", "vma") as two:
        yield one, two


def record(told: list[str], events: Sequence[Event]) -> None:
    told.extend(event.originator_id for event in events)


async def owners(*all_of: Instances) -> list[frozenset[str]]:
    return [(await one.survey()).me.owns for one in all_of]


async def test_of_two_instances_one_gets_a_share_and_each_sees_what_the_other_owns(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((_, a), (_, b)):
        await a.survey()
        await b.survey()

        assert (await a.claim("vma"), await b.claim("vma"), await b.claim("*")) == (True, False, True)

        seen = await a.survey()
        assert (seen.me.owns, [(other.id, other.owns) for other in seen.others]) == (
            frozenset({"vma"}),
            [("b", frozenset({"*"}))],
        )
        assert await a.claim("vma"), "a share that is owned already stays owned, and is released at once"
        await a.release("vma")
        await a.release("vma")
        assert await b.claim("vma")
        assert await owners(a, b) == [frozenset(), {"vma", "*"}]


async def test_each_tells_with_each_survey_how_far_it_is_and_one_of_an_earlier_release_does_not(
    postgres: PostgresPlace,
) -> None:
    reached = iter([(1, 5), (4, 6)])
    with (
        joined(postgres, "a", position_and_head=lambda: next(reached)) as (_, a),
        joined(postgres, "b", position_and_head=lambda: (6, 6)) as (_, b),
    ):
        told = []
        for _ in range(2):
            await a.survey()
            survey = await b.survey()
            told += [one.reached for one in (*survey.others, survey.me)]

        assert [(one.position, one.head) for one in told if one] == [(1, 5), (6, 6), (4, 6), (6, 6)]
        times = [one.told_at for one in told if one]
        assert times == sorted(times)
        forget = "UPDATE instances SET position = NULL, head = NULL, told_at = NULL WHERE id = 'a'"
        server.execute(forget, schema=postgres.schema)
        assert [one.reached for one in (await b.survey()).others] == [None]


async def test_one_that_has_ended_is_not_there_any_more_and_its_share_is_free(postgres: PostgresPlace) -> None:
    with joined(postgres, "b", "vma") as (_, b):
        with joined(postgres, "a", "vma") as (_, a):
            await a.survey()
            assert await a.claim("vma")
            assert [other.id for other in (await b.survey()).others] == ["a"]

        for _ in range(TRIES):
            if not (await b.survey()).others:
                break
        assert (await b.survey()).others == ()
        assert await b.claim("vma")


async def test_only_an_owner_stores_as_such_and_anybody_stores_otherwise(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((of_a, a), (of_b, _)):
        assert await a.claim("vma")

        assert await of_a.append(registered("job-1"), as_owner_of="vma") == 1
        with pytest.raises(NotOwner, match="vma"):
            await of_b.append(registered("job-2"), as_owner_of="vma")
        # One that is refused fails no other request of its transaction.
        results = await asyncio.gather(
            of_a.append(registered("job-3"), as_owner_of="other"),
            of_a.append(registered("job-4"), as_owner_of="vma"),
            return_exceptions=True,
        )
        assert (isinstance(results[0], NotOwner), results[1]) == (True, 2)
        assert await of_b.append(run_event("run-1")) == 3


async def test_an_owner_whose_session_was_ended_owns_it_still_though_others_wrote_meanwhile(
    postgres: PostgresPlace,
) -> None:
    async with both(postgres) as ((of_a, a), (of_b, b)):
        await a.survey()
        assert await a.claim("vma")
        assert await b.claim("*")
        end_writer_of(postgres, "a")
        assert await of_b.append(run_event("run-1"), as_owner_of="*") == 1

        assert await until_stored(of_a, "job-1", as_owner_of="vma") == 2

        assert await owners(a, b) == [{"vma"}, {"*"}]


async def test_one_that_has_lost_its_session_takes_it_again_within_a_survey_also_with_nothing_to_write(
    postgres: PostgresPlace,
) -> None:
    async with both(postgres) as ((_, a), (_, b)):
        await a.survey()
        assert await a.claim("vma")
        end_writer_of(postgres, "a")
        assert (await b.survey()).others == ()

        with suppress(StorageUnavailable):
            await a.survey()

        assert [other.owns for other in (await b.survey()).others] == [{"vma"}]
        assert not await b.claim("vma")


async def test_a_former_owner_stores_nothing_as_such_after_another_has_taken_its_share(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((of_a, a), (of_b, b)):
        await a.survey()
        assert await a.claim("vma")
        end_writer_of(postgres, "a")
        assert await b.claim("vma")
        assert await of_b.append(run_event("run-1"), as_owner_of="vma") == 1

        with pytest.raises(NotOwner):
            await until_stored(of_a, "job-1", as_owner_of="vma")

        assert await owners(a, b) == [frozenset(), {"vma"}]
    assert verify(postgres).events == 1


async def test_one_whose_share_another_has_owned_meanwhile_owns_it_no_more_and_can_take_it_again(
    postgres: PostgresPlace,
) -> None:
    async with both(postgres) as ((of_a, a), (_, b)):
        await a.survey()
        assert await a.claim("vma")
        assert await a.claim("*")
        end_writer_of(postgres, "a")
        assert await b.claim("vma")
        await b.release("vma")

        with pytest.raises(NotOwner):
            await until_stored(of_a, "job-1", as_owner_of="vma")

        assert await owners(a, b) == [{"*"}, frozenset()]
        assert await b.claim("vma"), "its lock is free"
        await b.release("vma")
        assert await a.claim("vma")
        assert await until_stored(of_a, "job-1", as_owner_of="vma") == 1


async def test_an_instance_whose_counter_stands_still_loses_its_session(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((of_a, a), (_, b)):
        await a.survey()
        assert await a.claim("vma")
        for _ in range(postgres_instances.STOPPED_AFTER - 1):
            assert not await b.claim("vma")
            assert (await b.survey()).stopped == frozenset()
        assert (await b.survey()).stopped == {"a"}

        assert any([await b.claim("vma") or (await b.survey()).me.owns for _ in range(TRIES)])
        with pytest.raises(NotOwner):
            await until_stored(of_a, "job-1", as_owner_of="vma")


async def test_one_that_runs_keeps_it_however_often_others_look(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((_, a), (_, b)):
        await a.survey()
        assert await a.claim("vma")
        for _ in range(3 * postgres_instances.STOPPED_AFTER):
            await a.survey()
            await b.survey()

        assert not await b.claim("vma")


async def test_a_registration_is_refused_until_those_of_others_are_known_and_then_stored(
    postgres: PostgresPlace,
) -> None:
    async with both(postgres) as ((of_a, _), (of_b, _)):
        told: list[Event] = []
        of_b.on_others(told.extend)
        await of_a.append(registered("job-1"))

        with pytest.raises(ConcurrentWrite):
            await of_b.append(registered("job-2"))

        assert [event.originator_id for event in told] == ["job-1"]
        assert await of_b.append(registered("job-2")) == 2
        assert await of_b.append(registered("job-3")) == 3


async def test_each_instance_is_told_what_the_other_has_stored_once_and_in_order(postgres: PostgresPlace) -> None:
    async with both(postgres) as ((of_a, _), (of_b, _)):
        told: dict[str, list[str]] = {"a": [], "b": []}
        for name, log in (("a", of_a), ("b", of_b)):
            log.on_others(partial(record, told[name]))
        for n in range(1, 4):
            await of_a.append(run_event(f"run-{n}"))
            await of_b.append(run_event(f"run-1{n}"))

        for log in (of_a, of_b, of_a, of_b):
            await log.follow()

        assert told == {
            "a": [f"run-1{n}" for n in range(1, 4)],
            "b": [f"run-{n}" for n in range(1, 4)],
        }
    assert verify(postgres).events == 6


async def test_a_share_that_a_stranger_holds_is_named_with_its_process(postgres: PostgresPlace) -> None:
    with joined(postgres, "a", "vma") as (_, a):
        with psycopg.connect(server.SERVER, autocommit=True) as stranger:
            stranger.execute("SELECT pg_advisory_lock(%s)", [keys_of(postgres).share("vma")])
            await a.survey()
            assert not await a.claim("vma")

            (held,) = (await a.survey()).holders.items()

        assert (held[0], "PostgreSQL process" in held[1]) == ("vma", True)


async def test_a_survey_without_the_server_fails_and_the_next_one_works(postgres: PostgresPlace) -> None:
    with joined(postgres, "a", "vma") as (_, a):
        await a.survey()
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE %s"
        assert server.execute(ended, f"job-recovery instance %:{os.getpid()}")
        with pytest.raises(StorageUnavailable, match="cannot be seen"):
            await a.survey()

        assert (await a.survey()).me.id == "a"
