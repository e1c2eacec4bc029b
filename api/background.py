"""Work that a request starts and does not wait for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Runs coroutines in the service's task group, so that a fault in one is never silent."""

    def __init__(self) -> None:
        """Nothing can be started before `attach`."""
        self._group: asyncio.TaskGroup | None = None

    def attach(self, group: asyncio.TaskGroup) -> None:
        """Use the group of the running service."""
        self._group = group

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Start the work; it ends with the service at the latest."""
        if self._group is None:
            work.close()
            raise RuntimeError("the service is not running")
        self._group.create_task(work)
