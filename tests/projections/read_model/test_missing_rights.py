"""A user that may not make the tables of a new release: the read model is away, not damaged, until he may."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from adapters.host.clock import SystemClock
from api.runtime.read_models import on_mariadb, on_postgres
from projections.read_model.errors import ReadModelAway
from projections.read_model.model_server import ReadModel
from projections.read_model.projector import Projector
from tests.support import mariadb, postgres
from tests.support.harness import Harness
from tests.support.memory_log import MemoryLog
from tests.support.read_models import SERVERS


@contextmanager
def limited(kind: str) -> Iterator[tuple[ReadModel, str]]:
    """Return a read model of a user who may only read and write, and the statement that gives him all rights."""
    user = f"jr_test_{secrets.token_hex(6)}"
    if kind == "postgresql":
        with postgres.new_schema() as schema, postgres.new_role(user, {}):
            postgres.execute(f"CREATE SCHEMA {schema}")
            postgres.execute(f"GRANT USAGE ON SCHEMA {schema} TO {user}")
            url = postgres.url_to(postgres.port(), user=user, password=user)
            yield on_postgres(url, schema), f"GRANT ALL ON SCHEMA {schema} TO {user}"
    else:
        with mariadb.new_database() as server:
            mariadb.execute(f"CREATE USER {user} IDENTIFIED BY '{user}'")
            mariadb.execute(f"GRANT SELECT, INSERT ON {server.database}.* TO {user}")
            try:
                yield (
                    on_mariadb(msgspec.structs.replace(server, user=user, password=user)),
                    f"GRANT ALL ON {server.database}.* TO {user}",
                )
            finally:
                mariadb.execute(f"DROP USER {user}")


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_missing_right_is_told_with_its_remedy_and_given_later_the_read_model_is_derived(kind: str) -> None:
    harness = Harness(MemoryLog())
    await harness.job("job-1")
    execute = postgres.execute if kind == "postgresql" else mariadb.execute
    with limited(kind) as (model, grant):
        try:
            projector = Projector(model.writer, harness.event_log, SystemClock(), harness.log, model.writing)
            with pytest.raises(ReadModelAway, match=r"denied .*\. Its user needs .* the right to create them"):
                await projector.catch_up()

            execute(grant)

            assert await projector.catch_up() == await harness.event_log.head()
        finally:
            model.close()
