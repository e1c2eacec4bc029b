"""Two releases with different tables use one database: neither rebuilds or drops what the other has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, insert, inspect, select

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from api.runtime.read_models import on_mariadb, on_postgres
from projections.read_model import schema
from tests.support import mariadb, postgres
from tests.support.read_models import KINDS
from tests.support.release import NextRelease, make_next_release
from tests.support.service import IMPORTING, ServiceProcess, wait_until

IN_USE = 3
"""The exit code if another process has the data directory."""

Rows = dict[str, list[tuple[Any, ...]]]

SAME = (
    *("job_id", "state", "vm_name", "vm_context_id", "vma", "volume_ids", "progress_percent", "disks", "error"),
    *("registered_at", "basis", "ended_at", "attention"),
)
"""What a restart does not change of a job that goes on, or has ended."""


class Place:
    """Where the read model is, and what both releases have there."""

    def __init__(self, engine: Engine, **settings: str) -> None:
        self.settings = settings
        self._engine = engine

    def prefixes(self) -> set[str]:
        """Return how the names of all tables of read models begin."""
        names = inspect(self._engine).get_table_names()
        return {found[0] for name in names if (found := re.match(r"read_model_\d+_[0-9a-f]{8}_", name))}

    def rows(self, prefix: str) -> Rows:
        """Return all that a release has."""
        with self._engine.connect() as connection:
            tables = self._tables(prefix)
            return {
                name: sorted(map(tuple, connection.execute(select(tables[name])).all()), key=repr) for name in tables
            }

    def position(self, prefix: str) -> int:
        """Return which event a release has applied last."""
        ((_, _, position, _),) = self.rows(prefix)[f"{prefix}position"]
        return int(position)

    def mark(self, prefix: str) -> None:
        """Add a row that nothing reads, and that no rebuild would make again."""
        contexts = self._tables(prefix)[f"{prefix}vm_contexts"]
        with self._engine.begin() as connection:
            connection.execute(insert(contexts).values(id="VMContext:mark", version=1, folded=b"{}"))

    def is_marked(self, prefix: str) -> bool:
        return any(row[0] == "VMContext:mark" for row in self.rows(prefix)[f"{prefix}vm_contexts"])

    def _tables(self, prefix: str) -> dict[str, Any]:
        metadata = MetaData()
        metadata.reflect(self._engine, only=lambda name, _: name.startswith(prefix))
        return dict(metadata.tables)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_next_release(tmp_path_factory.mktemp("next"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have the log and the read model on PostgreSQL; with `--long`, the read model on each kind of database."""
    if "place" in metafunc.fixturenames:
        kinds = KINDS if metafunc.config.getoption("--long") else ("postgresql",)
        metafunc.parametrize("place", kinds, indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Return a place of a kind: on PostgreSQL the log is there, too."""
    match request.param:
        case "postgresql":
            yield from on_one_postgres()
        case "mariadb":
            with mariadb.new_database() as server:
                model = on_mariadb(server)
                url = mariadb.URL.rpartition("/")[0] + f"/{server.database}"
                yield Place(model.readers, READ_MODEL_URL=url)
                model.close()
        case _:
            engine = create_engine(f"sqlite:///{tmp_path}/data/read_model.sqlite", module=sqlite3)
            yield Place(engine)
            engine.dispose()


def on_one_postgres() -> Iterator[Place]:
    with postgres.new_schema() as name:
        model = on_postgres(postgres.SERVER, name)
        yield Place(model.readers, DATABASE_URL=postgres.SERVER, DATABASE_SCHEMA=name, READ_MODEL_URL=postgres.SERVER)
        model.close()


@pytest.fixture
def on_postgresql() -> Iterator[Place]:
    yield from on_one_postgres()


class Releases:
    """The present release and the next one, on one place."""

    def __init__(self, place: Place, vma: SimulatedVMA, tree: Path, data: Path, data_of_next: Path) -> None:
        self.this = ServiceProcess(data, vma.url, **place.settings)
        self.next = NextRelease(tree, data_of_next, vma.url, **place.settings)

    def close(self) -> None:
        self.this.close()
        self.next.close()


@pytest.fixture
def in_turn(place: Place, vma: SimulatedVMA, tree: Path, tmp_path: Path) -> Iterator[Releases]:
    """Return two releases on one data directory."""
    releases = Releases(place, vma, tree, tmp_path / "data", tmp_path / "data")
    yield releases
    releases.close()


@pytest.fixture
def side_by_side(on_postgresql: Place, vma: SimulatedVMA, tree: Path, tmp_path: Path) -> Iterator[Releases]:
    """Return two releases on two machines."""
    releases = Releases(on_postgresql, vma, tree, tmp_path / "data", tmp_path / "data-of-next")
    yield releases
    releases.close()


def start(service: ServiceProcess) -> None:
    """Start a release; return when it has applied all events of its recovery, too."""
    service.start()
    wait_until(lambda: service.completed("restart"), what="recovered")


def stop(service: ServiceProcess) -> None:
    """Stop a release, with its read model up to date."""
    lag = "job_recovery_projection_lag_events 0.0"
    wait_until(lambda: lag in service.get("/metrics").text, what="the read model is up to date")
    assert service.terminate() == 0


def has_rebuilt(service: ServiceProcess) -> bool:
    """Return whether the release has derived its tables from the beginning of the log since its start."""
    names = ("read_model_rebuilding", "read_model_rebuilt", "read_model_of_another_log", "read_model_quarantined")
    return any(service.logged(name) for name in names)


def shown(service: ServiceProcess) -> list[dict[str, Any]]:
    return [{name: job[name] for name in SAME} for job in service.jobs()]


def shows(service: ServiceProcess, jobs: list[dict[str, Any]], *, but: str = "") -> bool:
    """Return whether these jobs are shown, beside that of another name, as soon as their recovery has ended."""
    return wait_until(
        lambda: [job for job in shown(service) if job["job_id"] != but] == jobs, what=f"the jobs as they were: {jobs}"
    )


def register(vma: SimulatedVMA, service: ServiceProcess, name: str) -> None:
    vma.world.add_job(name, [f"disk-{name}"])
    # It stays where it is, so that no event is stored but those of the restarts.
    vma.world.set_status(name, "in_progress", percent=41.0)
    service.register(name, f"disk-{name}")


def register_and_watch(vma: SimulatedVMA, service: ServiceProcess, *names: str) -> None:
    for name in names:
        register(vma, service, name)
    for name in names:
        service.wait_for(name, vma_status="running")


def test_releases_in_turn_find_their_own_tables_and_only_catch_up(
    in_turn: Releases, place: Place, vma: SimulatedVMA
) -> None:
    this, following = in_turn.this, in_turn.next
    this.start()
    register_and_watch(vma, this, "job-1", "job-2")
    this.decide("job-2", "fail")
    following.begin()
    assert following.process.wait(IMPORTING) == IN_USE
    before, history = shown(this), this.events("job-1")
    stop(this)
    assert place.prefixes() == {schema.PREFIX}
    place.mark(schema.PREFIX)
    of_this = place.rows(schema.PREFIX)

    start(following)

    assert has_rebuilt(following)
    assert following.logged("read_model_of_other_releases")[0]["others"] == [f"{schema.PREFIX}*"]
    assert shows(following, before)
    assert following.events("job-1")[: len(history)] == history
    register_and_watch(vma, following, "job-3")
    before, history = shown(following), following.events("job-1")
    stop(following)
    (next_prefix,) = place.prefixes() - {schema.PREFIX}
    place.mark(next_prefix)
    of_next = place.rows(next_prefix)
    assert place.position(next_prefix) > place.position(schema.PREFIX)
    assert place.rows(schema.PREFIX) == of_this

    start(this)

    assert not has_rebuilt(this)
    assert shows(this, before)
    assert this.events("job-1")[: len(history)] == history
    stop(this)
    assert place.is_marked(schema.PREFIX)
    assert place.rows(next_prefix) == of_next
    assert place.position(schema.PREFIX) > place.position(next_prefix)


def test_releases_side_by_side_have_tables_of_their_own_and_each_takes_over_what_the_other_watched(
    side_by_side: Releases, on_postgresql: Place, vma: SimulatedVMA
) -> None:
    this, following, place = side_by_side.this, side_by_side.next, on_postgresql
    this.start()
    register_and_watch(vma, this, "job-1", "job-2")
    before = shown(this)
    place.mark(schema.PREFIX)

    following.start()
    assert has_rebuilt(following)
    assert shows(following, before)
    (next_prefix,) = place.prefixes() - {schema.PREFIX}
    place.mark(next_prefix)
    register_and_watch(vma, following, "job-3")
    assert shows(this, before, but="job-3")
    stop(this)
    take_over(following)
    assert shows(following, before, but="job-3")

    before = shown(following)
    this.start()
    assert not has_rebuilt(this)
    stop(following)
    take_over(this)
    assert shows(this, before)
    assert place.is_marked(next_prefix)
    assert place.is_marked(schema.PREFIX)


def take_over(service: ServiceProcess) -> None:
    """Wait until a release watches all jobs."""
    wait_until(lambda: all(job["live"] for job in service.jobs()), what="all jobs are polled")
