"""An event loop whose time is a number: it never waits, and the same seed runs the same way every time."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class NothingLeftToDo(Exception):
    """Every task waits for another one: a deadlock."""


class _NoFiles(selectors.BaseSelector):
    """Instead of waiting for files, which there are none of, turns the clock on."""

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
        """Return the virtual seconds since the loop began."""
        return self._clock.now

    def pass_over(self, seconds: float) -> None:
        """Let time pass in which nothing of this process runs, as when it is stopped."""
        self._clock.now += seconds

    def run_in_executor(  # type: ignore[override] # one return type is enough for us
        self,
        executor: Executor | None,  # noqa: ARG002 - the loop's signature
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """Do at once what a thread would do: threads run differently every time."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
            done.set_exception(error)
        return done


class Machine:
    """What time it is on the machine: as somebody has set it."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.set_off = timedelta()
        self._loop = loop

    def wall(self) -> datetime:
        return EPOCH + timedelta(seconds=self._loop.time()) + self.set_off


class SimulatedClock:
    """The clock of one process, on the machine's time."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def now(self) -> datetime:
        return self._machine.wall()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
