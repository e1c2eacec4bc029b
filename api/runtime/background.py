"""Work that a request starts and does not wait for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.errors import StorageUnavailable

T = TypeVar("T")


class Background:
    """Runs coroutines in the service's task group, so that a fault in one is never silent."""

    def __init__(self, command_within: float = 10.0) -> None:
        """Nothing can be started before `attach`. A request waits for its command for `command_within` seconds."""
        self._group: asyncio.TaskGroup | None = None
        self._command_within = command_within
        self._commands: set[asyncio.Task[Any]] = set()

    async def command(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a command, for a bounded time. It is never cut off: whoever follows the job must hear of its end.

        Raises:
            StorageUnavailable: it is not done yet.

        """
        task = asyncio.ensure_future(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        done, _ = await asyncio.wait({task}, timeout=self._command_within)
        if not done:
            within = f"{self._command_within:g} s"
            raise StorageUnavailable(f"the command is not done within {within}, but may still be: look, and repeat it")
        return task.result()

    def attach(self, group: asyncio.TaskGroup) -> None:
        """Use the group of the running service."""
        self._group = group

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Start the work; it ends with the service at the latest."""
        if self._group is None:
            work.close()
            raise RuntimeError("the service is not running")
        self._group.create_task(work)
