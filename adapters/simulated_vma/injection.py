"""The faults that are set: for the whole server, for its health, for all ids, or for single ids."""

import threading
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from adapters.simulated_vma.faults import FAULTS
from adapters.simulated_vma.not_found import NotFound

Listening = Literal["open", "refused", "silent"]
Place = Literal["everywhere", "ids", "health"]
LISTENERS: dict[str, Listening] = {"refuse": "refused", "silent": "silent"}
OF_THE_SERVER = (*LISTENERS, "serial", "not_found_style")


class Injected(msgspec.Struct):
    """A fault that is set, and for how many more answers (None: until it is cleared)."""

    mode: str
    how: dict[str, Any]
    times: int | None


class Faults:
    """The faults that are set. Safe to use from any thread.

    Faults of the whole server: `refuse` (connections are refused), `silent` (they are accepted, and never answered),
    `serial` (one request at a time, each after `seconds`), `not_found_style` (`style`, `endpoint`).
    All others are in `FAULTS`, each with its own arguments.
    """

    def __init__(self, listen: Callable[[Listening], None]) -> None:
        """`listen` changes how the server listens."""
        self.not_found = NotFound()
        self.serial = 0.0
        self._listen = listen
        self._lock = threading.Lock()
        self._by_id: dict[str, Injected] = {}
        self._by_place: dict[str, Injected] = {}

    def set(
        self,
        mode: str,
        *,
        id: str | None = None,  # noqa: A002 - as in JSON
        place: Place = "everywhere",
        times: int | None = None,
        **how: Any,  # noqa: ANN401 - as in JSON
    ) -> None:
        """Set a fault from now on, or for the next `times` answers, at one place or for one id.

        Raises:
            LookupError: there is no such fault or place.
            ValueError: a fault of the whole server cannot be limited to a place or to some answers.

        """
        if mode in FAULTS:
            self._inject(Injected(mode, how, times), id, place)
        elif mode in OF_THE_SERVER and (id, place, times) != (None, "everywhere", None):
            raise ValueError(f"{mode!r} is a fault of the whole server, until it is cleared")
        elif mode in LISTENERS:
            self._listen(LISTENERS[mode])
        elif mode == "serial":
            self.serial = float(how.get("seconds", 0.1))
        elif mode == "not_found_style":
            self.not_found.use(how.get("style", ""), how.get("endpoint", "progress"))
        else:
            raise LookupError(f"there is no fault {mode!r}: {', '.join([*OF_THE_SERVER, *FAULTS])}")

    def clear(self, id: str | None = None, place: Place | None = None) -> None:  # noqa: A002 - as in JSON
        """Clear all faults, or those of one id or place. The style of not found stays."""
        with self._lock:
            if id is not None:
                self._by_id.pop(id, None)
                return
            if place is not None:
                self._by_place.pop(place, None)
                return
            self._by_id.clear()
            self._by_place.clear()
            self.serial = 0.0
        self._listen("open")

    def next_for_id(self, asked_id: str) -> Injected | None:
        """Return the fault of the next answer about an id, if any; it counts as used."""
        return self._next((self._by_id, asked_id), (self._by_place, "ids"), (self._by_place, "everywhere"))

    def next_for_health(self) -> Injected | None:
        """Return the fault of the next answer to a health check, if any; it counts as used."""
        return self._next((self._by_place, "health"), (self._by_place, "everywhere"))

    def _inject(self, fault: Injected, asked_id: str | None, place: str) -> None:
        if place not in {"everywhere", "ids", "health"}:
            raise LookupError(f"there is no place {place!r}")
        with self._lock:
            if asked_id is not None:
                self._by_id[asked_id] = fault
            else:
                self._by_place[place] = fault

    def _next(self, *sources: tuple[dict[str, Injected], str]) -> Injected | None:
        with self._lock:
            for faults, name in sources:
                fault = faults.get(name)
                if fault is not None:
                    _use(faults, name, fault)
                    return fault
        return None


def _use(faults: dict[str, Injected], name: str, fault: Injected) -> None:
    if fault.times is None:
        return
    fault.times -= 1
    if fault.times <= 0:
        del faults[name]
