"""No default of a PostgreSQL role changes what the read model is, or ends its statements."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from sqlalchemy import text

from api.runtime.read_models import on_postgres
from domain.vma_status import VMAStatus
from projections.queries.audit_entry import AuditFilter
from projections.queries.audit_trail import AuditTrail
from projections.queries.present import JobFilter, Queries
from projections.read_model.model_server import ReadModel
from projections.read_model.projector import Projector
from tests.support import postgres
from tests.support.harness import RUNNING, Harness
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of

DEFAULTS = {
    "statement_timeout": "500ms",
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "500ms",
    "TimeZone": "Asia/Kathmandu",
    "DateStyle": "German",
    "search_path": "nowhere",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
}
LONGER = text("SELECT pg_sleep(0.7)")
"""Than the role's limits."""


@pytest.fixture
def odd_url() -> Iterator[str]:
    """Return the URL of a role with defaults of its own."""
    postgres.need_postgres()
    with postgres.new_role(f"jr_test_{secrets.token_hex(6)}", DEFAULTS) as role:
        yield postgres.url_to(postgres.port(), user=role, password=role)


async def answers(harness: Harness, model: ReadModel) -> list[Any]:
    """Return what the read model of a log says, and its rows."""
    await Projector(model.writer, harness.event_log, harness.clock, harness.log, model.writing).catch_up()
    queries, trail = Queries(model.readers, model.reading), AuditTrail(model.readers, model.reading)
    middle = (await harness.events())[2].recorded_at
    return [
        await queries.jobs(JobFilter(), 100),
        await trail.entries(AuditFilter(until=middle), 100),
        await trail.position_at(middle),
        await trail.time_at(3),
        rows_of(model.readers),
    ]


async def test_a_role_with_short_limits_and_another_zone_gives_the_same_answers(odd_url: str) -> None:
    harness = Harness(MemoryLog())
    for n in range(3):
        harness.vma.says[f"job-{n}"] = RUNNING if n % 2 else VMAStatus.NOT_FOUND
        await harness.job(f"job-{n}")
        await harness.decided(f"job-{n}")
        harness.clock.advance(3600)
    with ExitStack() as ended:
        schemas = [ended.enter_context(postgres.new_schema()) for _ in range(2)]
        usual, odd = on_postgres(postgres.SERVER, schemas[0]), on_postgres(odd_url, schemas[1])
        for model in (usual, odd):
            ended.enter_context(closing(model))

        assert await answers(harness, odd) == await answers(harness, usual)

        for engine in (odd.readers, odd.writer):
            with engine.begin() as connection:
                connection.execute(LONGER)
