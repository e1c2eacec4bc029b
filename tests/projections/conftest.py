"""The tests of the read model run on SQLite, and a part of them on PostgreSQL and MariaDB; with `--long`, all of them.

A database is emptied and filled again in the time of several tests on SQLite. So of the modules below, which have a
query or a rule of every kind, each runs everywhere.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from projections.read_model.model_server import ReadModel
from projections.read_model.model_store import ModelStore
from tests.support.read_models import KINDS, new_read_model

EVERYWHERE = {"test_checkpoint", "test_engines"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a read model on one or all kinds of databases."""
    if "read_model" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition(".")[2]
        kinds = KINDS if metafunc.config.getoption("--long") or name in EVERYWHERE else KINDS[:1]
        metafunc.parametrize("kind", kinds, scope="module")


@pytest.fixture
def read_model(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadModel]:
    """Return an empty read model for each test."""
    with new_read_model(kind, tmp_path_factory.mktemp("model")) as model:
        yield model


@pytest.fixture
def engine(read_model: ReadModel) -> Engine:
    """Return the session of the read model that writes, which reads as well; its tables are there."""
    ModelStore(read_model.writer).reset()
    return read_model.writer
