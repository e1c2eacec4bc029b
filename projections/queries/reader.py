"""Reads the read model in threads, and translates its errors."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from sqlalchemy import Engine, Select

from projections.read_model.errors import ReadModelAway, translate_errors
from projections.read_model.model_server import SILENT

PATIENCE = 5.0
"""Seconds that a query of a server may take, with waiting for a thread."""


class Reader:
    """The base of the queries of the read model."""

    def __init__(self, engine: Engine, threads: Executor | None = None) -> None:
        """Read from `engine`, in `threads` if it is on a server."""
        self._engine = engine
        self._threads = threads
        self._patience = PATIENCE if threads else None

    async def rows(self, query: Select[Any], values: Mapping[str, str] | None = None) -> Sequence[Any]:
        """Return all rows of a query, with the values of its parameters.

        Raises:
            StorageUnavailable: the read model cannot be read now.

        """

        def execute() -> Sequence[Any]:
            with translate_errors(self._engine), self._engine.connect() as connection:
                return connection.execute(query, values).all()

        executing = asyncio.get_running_loop().run_in_executor(self._threads, execute)
        if self._patience is None:
            return await executing
        try:
            async with asyncio.timeout(self._patience):
                return await executing
        except TimeoutError:
            raise ReadModelAway(SILENT) from None

    async def first(self, query: Select[Any]) -> Any:  # noqa: ANN401 - the type of the column
        """Return the only column of the first row; None if there is no row."""
        return next((value for (value,) in await self.rows(query.limit(1))), None)
