"""Each filter of the audit trail finds the events that show its values, by an index, whatever the pages."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from adapters.event_log.sqlite import sqlite3
from domain.events import Trace
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from projections.queries.audit_entry import AuditEntry, AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.read_model import schema
from projections.read_model.model_file import open_read_model
from projections.read_model.projector import Projector
from tests.support.builders import document
from tests.support.harness import RUNNING, Harness, asked
from tests.support.logs import open_log

TRAIL = schema.audit_trail.name
NAMES = [one.name for one in fields(AuditFilter) if one.name not in {"since", "until"}]
"""The filters by the value of a field."""

DECIDING = {"RecoveryDecided", "OutcomeRevised", "OutcomeConfirmed", "OutcomeContradicted", "OperatorDecided"}


class Stored:
    """A log with every kind of decision on jobs, and its audit trail."""

    def __init__(self, folder: Path) -> None:
        self.log = open_log(folder)
        self.harness = Harness(self.log)
        self.engine: Engine = open_read_model(folder / "read_model.sqlite", sqlite3)
        self.trail = AuditTrail(self.engine)
        self.jobs = 0

    async def lost(self, job_id: str) -> None:
        """Have a job lost, which is a guess."""
        job = await self.harness.job(job_id)
        self.harness.vma.says[job.id] = VMAStatus.NOT_FOUND
        await self.harness.decided(job.id)

    async def judged(self, job_id: str, says: Any) -> None:
        """Have a guess confirmed, revised or contradicted."""
        self.harness.vma.says[job_id] = says
        job = await self.harness.app.job(job_id)
        await self.harness.app.revise(job_id, await self.harness.contact.ask(job))

    async def write(self) -> None:
        """Store another job, decided."""
        self.jobs += 1
        await self.lost(f"later-{self.jobs}")
        await self.project()

    async def project(self) -> None:
        await Projector(self.engine, self.log, self.harness.clock, self.harness.log).catch_up()

    async def history(self) -> None:
        for job_id in ("lost", "revised", "confirmed", "contradicted", "operated", "resumed"):
            await self.lost(job_id)
        await self.judged("revised", RUNNING)
        await self.judged("confirmed", document(VMAStatus.FAILED, 40.0))
        newer = asked("newer", vm_context_id="ctx-contradicted")
        await self.harness.app.register(newer, Trace("request-2", "request-2"))
        await self.judged("contradicted", RUNNING)
        await self.harness.app.operator_decide(
            "operated", Outcome.COMPLETE, "mara", "it is there", Trace("request-9", "request-9", "mara")
        )
        await self.project()

    async def everything(self) -> list[AuditEntry]:
        return await self.trail.entries(AuditFilter(), 100_000)


def only(name: str, *values: str) -> AuditFilter:
    wanted: dict[str, Any] = {name: values}
    return AuditFilter(**wanted)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    opened = Stored(tmp_path_factory.mktemp("trail"))
    asyncio.run(opened.history())
    yield opened
    opened.engine.dispose()
    opened.log.close()


def shown(entries: list[AuditEntry], kind: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(entry.rule, entry.basis, entry.outcome) for entry in entries if entry.type == kind]


async def test_a_revision_and_an_operators_decision_show_rule_basis_and_outcome_as_the_job_does(
    stored: Stored,
) -> None:
    everything = await stored.everything()

    assert shown(everything, "OutcomeRevised")[0] == ("outcome-revised", "observed", "resume")
    assert shown(everything, "OperatorDecided") == [("operator", None, "complete")]
    for entry in everything:
        if entry.type in {"OutcomeRevised", "OperatorDecided"}:
            (job,) = await stored.log.load_versions(ReplicationJob, [(entry.stream_id, entry.version)])
            assert job.decision is not None
            assert (job.decision.rule, job.decision.basis, job.decision.outcome) == shown([entry], entry.type)[0]


async def test_a_verdict_on_an_outcome_shows_the_basis_and_the_outcome_that_the_job_has_then(stored: Stored) -> None:
    everything = await stored.everything()

    assert shown(everything, "OutcomeConfirmed") == [(None, "observed", "fail")]
    assert shown(everything, "OutcomeContradicted") == [(None, "inferred", "fail")]


async def test_other_events_show_no_decision(stored: Stored) -> None:
    for entry in await stored.everything():
        if entry.type not in DECIDING:
            assert (entry.rule, entry.basis, entry.outcome) == (None, None, None), entry.type


async def test_every_value_that_an_event_shows_finds_exactly_the_events_that_show_it(stored: Stored) -> None:
    everything = await stored.everything()
    for name in NAMES:
        values = {value for entry in everything if (value := getattr(entry, name)) is not None}
        assert values, name
        for value in values:
            found = await stored.trail.entries(only(name, value), 100_000)
            assert found == [entry for entry in everything if getattr(entry, name) == value], (name, value)


async def test_two_filters_with_several_values_find_the_events_that_show_one_of_each(stored: Stored) -> None:
    everything = await stored.everything()
    found_any = 0
    for one, other in permutations(NAMES, 2):
        wanted = {one: values_of(everything, one, [0, 1]), other: values_of(everything, other, [2, 1, 0])}

        found = await stored.trail.entries(AuditFilter(**wanted), 100_000)

        assert found == [entry for entry in everything if matches(entry, wanted)], wanted
        found_any += bool(found)
    assert found_any > len(NAMES)


@given(
    chosen=st.dictionaries(st.sampled_from(NAMES), st.lists(st.integers(0, 10_000), max_size=3), max_size=3),
    newest_first=st.booleans(),
    size=st.integers(1, 7),
)
@settings(max_examples=60, deadline=None)
def test_the_pages_of_any_filter_are_its_one_page_whatever_is_written_in_between(
    stored: Stored, chosen: dict[str, list[int]], *, newest_first: bool, size: int
) -> None:
    asyncio.run(check_pages(stored, chosen, size, newest_first=newest_first))


async def check_pages(stored: Stored, chosen: dict[str, list[int]], size: int, *, newest_first: bool) -> None:
    everything = await stored.everything()
    wanted = {name: values_of(everything, name, numbers) for name, numbers in chosen.items()}
    matching = [entry for entry in everything if matches(entry, wanted)]
    expected = matching[::-1] if newest_first else matching
    filters = AuditFilter(**wanted)

    pages: list[AuditEntry] = []
    after, end = None, everything[-1].position
    while page := await stored.trail.entries(filters, size, after, newest_first=newest_first):
        pages += page
        after = page[-1].position
        if len(pages) == size:
            await stored.write()
    exported = [entry async for entry in stored.trail.export(filters, newest_first=newest_first, end=end)]

    assert [entry for entry in pages if entry.position <= end] == expected
    assert len({entry.position for entry in pages}) == len(pages)
    assert exported == expected
    assert await stored.trail.total(filters, end) == len(expected)


def values_of(everything: list[AuditEntry], name: str, numbers: list[int]) -> Any:
    """Return values that the events show in a field, and one that none shows, chosen by numbers."""
    values = [*sorted({getattr(entry, name) for entry in everything} - {None}), "nothing"]
    return tuple(values[number % len(values)] for number in numbers)


def matches(entry: AuditEntry, wanted: dict[str, Any]) -> bool:
    return all(not values or getattr(entry, name) in values for name, values in wanted.items())


def plans(stored: Stored, wanted: AuditFilter, *, newest_first: bool) -> list[str]:
    """Return the steps by which SQLite finds the first page of a filter."""
    steps: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        explained = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps.extend(row[3] for row in explained.fetchall())

    event.listen(stored.engine, "before_cursor_execute", explain)
    try:
        asyncio.run(stored.trail.entries(wanted, 101, newest_first=newest_first))
    finally:
        event.remove(stored.engine, "before_cursor_execute", explain)
    return steps


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_no_filter_reads_events_that_it_does_not_want(stored: Stored, name: str, *, newest_first: bool) -> None:
    for values in (("a",), ("a", "b")):
        steps = plans(stored, only(name, *values), newest_first=newest_first)

        found = [
            step
            for step in steps
            if step.startswith(f"SEARCH {schema.audit_trail.name} USING ") and f"({name}=?" in step
        ]
        assert len(found) == len(values), steps
        assert not [step for step in steps if step.startswith(f"SCAN {schema.audit_trail.name}")], steps


def test_the_events_of_one_value_are_not_sorted(stored: Stored) -> None:
    for name in NAMES:
        assert "TEMP B-TREE" not in " ".join(plans(stored, only(name, "a"), newest_first=True)), name
