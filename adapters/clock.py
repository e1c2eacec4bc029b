"""The clock of the real world, which never jumps.

A machine's clock is set: by hours when a virtual machine is resumed, by years when its battery was empty. Every
duration that a decision rests on ("last contact 30 minutes ago") is the difference of two times, so a jump would fail
jobs that run. Here time goes on as steadily as the machine's uptime does, across restarts of the service too, and
follows the machine's clock gently: after a jump, by one second in a hundred. Only a machine that has just been started
may still set its clock. Summer time changes nothing: all is UTC.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

SLEW = 0.01
"""By how much faster or slower than the uptime our time may go, to meet the machine's clock again."""

SETTLED = 600.0
"""Seconds of uptime before which the machine's clock is taken as it is: it may not have been set yet."""

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Between which a kept time must lie: beyond, what is reckoned with it can leave the calendar."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """What the time was at an uptime (seconds) of one start of the machine; an uptime of another says nothing."""

    boot: str
    uptime: float
    time: datetime


class SteadyClock:
    """Time in UTC that follows `wall`, but no jump of it; `uptime` in seconds, which only ever grow."""

    def __init__(
        self, wall: Callable[[], datetime], uptime: Callable[[], float], boot: str, last: Anchor | None = None
    ) -> None:
        """Go on from the last anchor, if it is of this start of the machine; else from the wall's time."""
        self._wall = wall
        self._uptime = uptime
        self._boot = boot
        goes_on = last is not None and boot and last.boot == boot and 0 <= last.uptime <= uptime()
        self._anchor = last if last and goes_on else Anchor(boot=boot, uptime=uptime(), time=wall())

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self.anchor().time

    def anchor(self) -> Anchor:
        """Return what the time is now, for a later process to go on from."""
        last, uptime, wall = self._anchor, self._uptime(), self._wall()
        passed = uptime - last.uptime
        steady = last.time + timedelta(seconds=passed)
        most = timedelta(seconds=passed * SLEW)
        gently = steady + min(max(wall - steady, -most), most)
        self._anchor = Anchor(boot=self._boot, uptime=uptime, time=gently if uptime >= SETTLED else wall)
        return self._anchor

    def machine_is_ahead(self) -> float:
        """Return the seconds by which the machine's clock is ahead of ours: what it has jumped."""
        return (self._wall() - self.now()).total_seconds()


class SystemClock(SteadyClock):
    """The machine's time, without its jumps, and monotonic time for everything that is measured."""

    def __init__(self, last: Anchor | None = None) -> None:
        """Go on from where an earlier process was."""
        boot = BOOT_ID.read_text(encoding="ascii").strip() if BOOT_ID.exists() else ""
        super().__init__(lambda: datetime.now(UTC), lambda: time.clock_gettime(UPTIME), boot, last)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await asyncio.sleep(seconds)


class AnchorFile:
    """Where one process leaves the time for the next."""

    def __init__(self, data_dir: Path) -> None:
        """The file lies in the data directory; without it, the machine's clock is taken as it is."""
        self._path = data_dir / "clock.json"

    def read(self) -> Anchor | None:
        """Return the last anchor; None if there is none that can be read."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=Anchor)
        except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError):
            return None
        if found.time.tzinfo is None or not FIRST_YEAR <= found.time.year <= LAST_YEAR:
            return None
        return msgspec.structs.replace(found, time=found.time.astimezone(UTC))

    def write(self, anchor: Anchor) -> None:
        """Leave an anchor, as a whole or not at all.

        Raises:
            OSError: it cannot be written; the one before is still there.

        """
        new = self._path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(anchor))
        new.replace(self._path)
