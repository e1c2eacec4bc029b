"""A read model on a server that a test can take away from a service, while the test itself still reaches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import msgspec
from psycopg.conninfo import conninfo_to_dict

from api.runtime.read_models import on_mariadb, on_postgres
from projections.read_model.mariadb import Server
from projections.read_model.model_server import ReadModel
from tests.support import mariadb, postgres
from tests.support.postgres_relay import PostgresRelay


class ModelServer(msgspec.Struct, frozen=True):
    """The settings of a service with its read model there, the relay before the server, and the way around it."""

    settings: dict[str, str]
    relay: PostgresRelay
    model: ReadModel


@contextmanager
def model_server(kind: str) -> Iterator[ModelServer]:
    """Return an empty read model on a server, behind a relay; delete it afterwards."""
    with _on_postgres() if kind == "postgresql" else _on_mariadb() as server:
        try:
            yield server
        finally:
            server.relay.close()
            server.model.close()


@contextmanager
def _on_postgres() -> Iterator[ModelServer]:
    with postgres.new_schema() as schema:
        relay = PostgresRelay(postgres.port())
        settings = {"READ_MODEL_URL": _postgres_url(relay.port), "DATABASE_SCHEMA": schema}
        yield ModelServer(settings, relay, on_postgres(postgres.SERVER, schema))


@contextmanager
def _on_mariadb() -> Iterator[ModelServer]:
    with mariadb.new_database() as server:
        relay = PostgresRelay(server.port)
        yield ModelServer({"READ_MODEL_URL": _url(server, relay.port)}, relay, on_mariadb(server))


def _postgres_url(port: int) -> str:
    parameters = conninfo_to_dict(postgres.SERVER)
    password = f":{quote(postgres.password() or '', safe='')}" if postgres.password() else ""
    return f"postgresql://{parameters['user']}{password}@127.0.0.1:{port}/{parameters['dbname']}"


def _url(server: Server, port: int) -> str:
    password = f":{quote(server.password, safe='')}" if server.password else ""
    return f"mariadb://{server.user}{password}@127.0.0.1:{port}/{server.database}"
