"""Of two projectors of one read model on a server one projects, and the other takes over when it has lost the lock."""

from contextlib import suppress

import pytest
from sqlalchemy import text

from domain.errors import StorageUnavailable
from projections.read_model.model_file import request_rebuild
from projections.read_model.model_server import ReadModel
from projections.read_model.projector import Projector
from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog
from tests.support.read_model import rows_of
from tests.support.read_models import SERVERS, two_processes
from tests.support.service import wait_until

THIS = {"postgresql": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
END = {"postgresql": "SELECT pg_terminate_backend({}, 5000)", "mariadb": "KILL CONNECTION {}"}
LEFT = {
    "postgresql": "SELECT 1 FROM pg_stat_activity WHERE pid = {}",
    "mariadb": "SELECT 1 FROM information_schema.processlist WHERE id = {}",
}


def projector(harness: Harness, model: ReadModel) -> Projector:
    return Projector(model.writer, harness.event_log, harness.clock, harness.log, model.writing)


def cut_writer(kind: str, model: ReadModel) -> None:
    """Have the server end the session that writes; return when it has, with the session's locks."""
    with model.writer.connect() as connection:
        number = connection.scalar(text(THIS[kind]))
    with model.readers.connect() as connection:
        connection.execute(text(END[kind].format(number)))
        wait_until(lambda: not connection.execute(text(LEFT[kind].format(number))).all(), what="its end")


@pytest.mark.parametrize("kind", SERVERS)
async def test_one_has_the_lock_and_the_other_takes_over_when_its_connection_is_cut(kind: str) -> None:
    harness = Harness(MemoryLog())
    await harness.job("job-1")
    with two_processes(kind) as (model, other):
        first, second = projector(harness, model), projector(harness, other)
        assert await first.catch_up() == await second.catch_up() == await harness.event_log.head()
        await harness.job("job-2")
        # It follows only: the first one has not applied this yet.
        assert await second.catch_up() < await harness.event_log.head()
        cut_writer(kind, model)

        assert await second.catch_up() == await harness.event_log.head()

        await harness.job("job-3")
        with suppress(StorageUnavailable):
            # Its connection is found to be cut here or before, by the driver that it has.
            await first.catch_up()
        assert await first.catch_up() < await harness.event_log.head()
        assert await second.catch_up() == await harness.event_log.head()
        rows = rows_of(other.readers)
        request_rebuild(other.writer)
        await second.catch_up()
        assert rows_of(other.readers) == rows
