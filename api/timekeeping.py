"""Keeps the time for the next process, and says when the machine's clock was set."""

import asyncio

from adapters.clock import AnchorFile, SystemClock
from domain.ports import Log

EVERY = 60.0
JUMPED = 2.0
"""Seconds from which on a difference is a jump, and no ordinary correction."""


class Timekeeper:
    """Leaves an anchor in the data directory now and then."""

    def __init__(self, clock: SystemClock, file: AnchorFile, log: Log) -> None:
        """Nothing is written before `run`."""
        self._clock = clock
        self._file = file
        self._log = log
        self._told = 0.0

    async def run(self) -> None:
        """Keep the time for as long as the service runs."""
        while True:
            await self.keep()
            await self._clock.sleep(EVERY)

    async def keep(self) -> None:
        """Leave an anchor; without a new one the next process goes on from the one before, which is as good."""
        try:
            await asyncio.to_thread(self._file.write, self._clock.anchor())
        except OSError as error:
            self._log.warning("time_not_kept", error=str(error))
        self._tell(self._clock.machine_is_ahead())

    def _tell(self, ahead: float) -> None:
        """Say once that the clock was set, and not again while that difference melts away."""
        if abs(ahead - self._told) >= JUMPED:
            self._log.warning(
                "machine_clock_jumped",
                machine_is_ahead_seconds=round(ahead, 1),
                why="times in the log go on steadily, and come nearer by one second in a hundred: see the README",
            )
        self._told = ahead
