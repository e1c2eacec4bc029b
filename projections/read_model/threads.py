"""Threads for the calls to a server, which may be silent for long."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

Call = tuple[Future[Any], Callable[[], Any]]


ENDS_SOON = 0.5
"""Seconds that are waited for calls at the end. A silent server must not delay it."""


class DaemonThreads(Executor):
    """A few threads that do not keep the process from ending, unlike those of the standard library.

    They are not those that look up the names of hosts either: a silent server does not delay the VMAs.
    """

    def __init__(self, count: int, name: str) -> None:
        """Start so many threads."""
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - as inherited
        """Have a function called in one of the threads."""
        future: Future[T] = Future()
        self._calls.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as inherited
        """Have the threads end after their calls; wait for those that end soon: their sessions can be closed."""
        for _ in self._threads:
            self._calls.put(None)
        deadline = monotonic() + ENDS_SOON
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - the caller gets it
                future.set_exception(error)
