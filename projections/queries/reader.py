"""Reads the read model in threads, and translates its errors."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select

from projections.read_model.errors import translate_errors


class Reader:
    """The base of the queries of the read model."""

    def __init__(self, engine: Engine) -> None:
        """Read from `engine`."""
        self._engine = engine

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        """Return all rows of a query.

        Raises:
            StorageUnavailable: the read model cannot be read now.

        """

        def execute() -> Sequence[Any]:
            with translate_errors(), self._engine.connect() as connection:
                return connection.execute(query).all()

        return await asyncio.to_thread(execute)

    async def first(self, query: Select[Any]) -> Any:  # noqa: ANN401 - the type of the column
        """Return the first column of the first row; None if there is no row."""
        found = await self.rows(query.limit(1))
        return found[0][0] if found else None
