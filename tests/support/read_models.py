"""Read models for tests, each empty: in an SQLite file, in a PostgreSQL schema and in a MariaDB database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapters.event_log.sqlite import sqlite3
from api.runtime.read_models import on_mariadb, on_postgres
from projections.read_model.model_file import open_read_model
from projections.read_model.model_server import ReadModel
from tests.support import mariadb, postgres

SERVERS = ("postgresql", "mariadb")
KINDS = ("sqlite", *SERVERS)


@contextmanager
def new_read_model(kind: str, folder: Path) -> Iterator[ReadModel]:
    """Return a read model; delete it afterwards."""
    with _new(kind, folder) as model:
        try:
            yield model
        finally:
            model.close()


@contextmanager
def _new(kind: str, folder: Path) -> Iterator[ReadModel]:
    match kind:
        case "postgresql":
            with postgres.new_schema() as schema:
                yield on_postgres(postgres.SERVER, schema)
        case "mariadb":
            with mariadb.new_database() as server:
                yield on_mariadb(server)
        case _:
            engine = open_read_model(folder / "read_model.sqlite", sqlite3)
            yield ReadModel(engine, engine)


@contextmanager
def two_processes(kind: str) -> Iterator[tuple[ReadModel, ReadModel]]:
    """Return an empty read model on a server twice, as two processes have it; delete it afterwards."""
    with ExitStack() as both:
        if kind == "postgresql":
            schema = both.enter_context(postgres.new_schema())
            models = on_postgres(postgres.SERVER, schema), on_postgres(postgres.SERVER, schema)
        else:
            server = both.enter_context(mariadb.new_database())
            models = on_mariadb(server), on_mariadb(server)
        for model in models:
            both.callback(model.close)
        yield models
