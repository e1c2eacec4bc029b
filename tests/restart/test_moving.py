"""The log of a running service is moved to another database."""

from collections.abc import Iterator

import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from projections.read_model.model_file import open_read_model
from tests.restart.conftest import StartService
from tests.support import postgres
from tests.support.postgres import new_schema
from tests.support.read_model import Rows, rows_of
from tests.support.service import ServiceProcess


@pytest.fixture
def schema() -> Iterator[str]:
    with new_schema() as name:
        yield name


def rebuilt(service: ServiceProcess, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Rebuild the read model of a service that does not run, and return all of its rows."""
    for name in ("DATABASE_URL", "DATABASE_SCHEMA"):
        monkeypatch.delenv(f"JOB_RECOVERY_{name}", raising=False)
    for name, value in service.environment.items():
        if name.startswith("JOB_RECOVERY_"):
            monkeypatch.setenv(name, value)
    assert main(["rebuild"]) == 0
    engine = open_read_model(service.data_dir / "read_model.sqlite", sqlite3)
    found = rows_of(engine)
    engine.dispose()
    return found


@pytest.mark.of_files("copies it to PostgreSQL")
def test_a_log_that_is_copied_while_it_is_served_is_served_by_postgres_and_goes_back(
    vma: SimulatedVMA, start_service: StartService, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_service()
    file = f"sqlite:///{service.data_dir}/events.sqlite"
    for n in range(6):
        vma.world.add_job(f"job-{n}", [f"disk-{n}"], progress=41.0, duration=36_000)
        service.register(f"job-{n}", f"disk-{n}")
        if n == 3:
            assert main(["copy", "--from", file, "--to", postgres.SERVER, "--to-schema", schema]) == 0
    for n in range(6):
        service.wait_for(f"job-{n}", vma_status="running")
    before = service.events("job-0")
    service.terminate()

    assert main(["copy", "--from", file, "--to", postgres.SERVER, "--to-schema", schema]) == 0
    by_the_file = rebuilt(service, monkeypatch)
    service.settings |= {"DATABASE_URL": postgres.SERVER, "DATABASE_SCHEMA": schema}
    assert rebuilt(service, monkeypatch) == by_the_file
    service.start()

    for n in range(6):
        service.wait_for(f"job-{n}", state="replicating", rule="still-running")
    assert service.events("job-0")[: len(before)] == before
    assert main(["copy", "--from", file, "--to", postgres.SERVER, "--to-schema", schema]) == 3
    service.terminate()
    assert main(["copy", "--from", postgres.SERVER, "--from-schema", schema, "--to", file]) == 0
