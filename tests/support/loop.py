"""An event loop on virtual time: it never waits, and the same seed gives the same run."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class NothingLeftToDo(Exception):
    """All tasks wait for each other: a deadlock."""


class _NoFiles(selectors.BaseSelector):
    """Advances the virtual time instead of waiting: there are no files."""

    def __init__(self) -> None:
        self.now = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeftToDo
        self.now += max(0.0, timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, without threads."""

    def __init__(self) -> None:
        self._clock = _NoFiles()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the virtual seconds since the start of the loop."""
        return self._clock.now

    def pass_over(self, seconds: float) -> None:
        """Advance the time without running any task, as if the process was stopped."""
        self._clock.now += seconds

    def run_in_executor(  # type: ignore[override] # one return type is enough for us
        self,
        executor: Executor | None,  # noqa: ARG002 - the loop's signature
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """Call the function at once: the order of threads is not reproducible."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller gets it
            done.set_exception(error)
        return done


class Machine:
    """The wall clock of a machine, `set_off` from the true time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.set_off = timedelta()
        self._loop = loop

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self._loop.time()) + self.set_off


class SimulatedClock:
    """The clock of one process on a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def now(self) -> datetime:
        return self._machine.wall()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def go_on(self) -> None:
        """Return when the process is not stopped, which this one never is."""
