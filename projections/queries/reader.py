"""Reading the read model in threads, with its errors in our words."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select

from projections.read_model.folded import in_our_words


class Reader:
    """Asks the read model."""

    def __init__(self, engine: Engine) -> None:
        """Read from `engine`."""
        self._engine = engine

    async def rows(self, query: Select[Any]) -> Sequence[Any]:
        """Return all rows of a query.

        Raises:
            StorageUnavailable: the read model cannot be read now.

        """

        def ask() -> Sequence[Any]:
            with in_our_words(), self._engine.connect() as connection:
                return connection.execute(query).all()

        return await asyncio.to_thread(ask)

    async def first(self, query: Select[Any]) -> Any:  # noqa: ANN401 - whatever its column holds
        """Return the first column of the first row, if there is one."""
        found = await self.rows(query.limit(1))
        return found[0][0] if found else None
