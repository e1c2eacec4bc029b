"""Work that a request starts, and that may outlive it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.errors import JobRecoveryError, StorageUnavailable

T = TypeVar("T")

COMMAND_TIMEOUT = 4.0
"""Seconds that a request waits for its command, so that with its turn it is answered within 5."""


class Background:
    """Runs coroutines in the service's task group, so that an exception in one ends the service."""

    def __init__(self, command_timeout: float = COMMAND_TIMEOUT) -> None:
        """Before `attach`, `start` is refused. A request waits `command_timeout` seconds for its command."""
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
        try:
            done, _ = await asyncio.wait({task}, timeout=self._command_timeout)
        finally:
            if not task.done():
                task.add_done_callback(_ended_alone)
        if not done:
            what = f"the command has not finished within {self._command_timeout:g} s, and continues"
            raise StorageUnavailable(f"{what}: look at the job, and repeat the command if necessary")
        return task.result()

    def attach(self, group: asyncio.TaskGroup) -> None:
        """Set the task group of the running service."""
        self._group = group

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Start the work; it is cancelled when the service ends.

        Raises:
            StorageUnavailable: the service has not read the event log yet.

        """
        if self._group is None:
            work.close()
            raise StorageUnavailable("the service is starting and has not read the event log yet: retry in a second")
        self._group.create_task(work)


def _ended_alone(task: asyncio.Task[Any]) -> None:
    """Take the result of a command whose request was answered before. A refusal has nobody to be told to."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, JobRecoveryError):
        context = {"message": "a command failed after its request was answered", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
