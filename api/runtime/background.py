"""Work that a request starts, and that may outlive it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.errors import StorageUnavailable

T = TypeVar("T")


class Background:
    """Runs coroutines in the service's task group, so that an exception in one ends the service."""

    def __init__(self, command_timeout: float = 10.0) -> None:
        """`attach` must precede `start`. A request waits for its command for at most `command_timeout` seconds."""
        self._group: asyncio.TaskGroup | None = None
        self._command_timeout = command_timeout
        self._commands: set[asyncio.Task[Any]] = set()

    async def command(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of a command. After the timeout it continues: the job's watcher needs its result.

        Raises:
            StorageUnavailable: it has not finished within the timeout.

        """
        task = asyncio.ensure_future(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        done, _ = await asyncio.wait({task}, timeout=self._command_timeout)
        if not done:
            what = f"the command has not finished within {self._command_timeout:g} s, and continues"
            raise StorageUnavailable(f"{what}: look at the job, and repeat the command if necessary")
        return task.result()

    def attach(self, group: asyncio.TaskGroup) -> None:
        """Set the task group of the running service."""
        self._group = group

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Start the work; it is cancelled when the service ends."""
        if self._group is None:
            work.close()
            raise RuntimeError("the service is not running")
        self._group.create_task(work)
