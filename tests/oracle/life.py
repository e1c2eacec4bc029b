"""A random life of jobs: what workers, VMAs, operators and crashes do, while questions are asked."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx

from adapters.simulated_vma import SimulatedVMA
from tests.oracle.log import Schema
from tests.support import logs, postgres
from tests.support.service import ServiceProcess

SETTINGS = {
    "POLL_INTERVAL": "0.5",
    "UNREACHABLE_TIMEOUT": "3",
    "STARTUP_GRACE": "2",
    "COMPLETION_WINDOW": "1",
    "STALE_AFTER": "5",
    "STALLED_AFTER": "2",
}
AT_FIRST = 5
MAX_OPEN = 30
MAX_JOBS = 2000
WRITERS = 4
"""Clients that write at once, so that events are not in the order of their times."""

FORMS = ("full", "status_only", "disks_by_index", "disks_by_id", "error_text", "no_timestamp")
WORDS = ("checked by hand", "=1+1", "gelöscht, „wie besprochen“", "two\nlines", 'a, b; "c"')


def data_of(folder: Path) -> Path:
    """Return the data directory of a life in a folder."""
    return folder / "data"


def log_of(folder: Path) -> Path | Schema:
    """Return where its log is, on the engine of this run."""
    data = data_of(folder)
    if logs.engine() == logs.POSTGRES:
        return Schema(postgres.SERVER, logs.schema_of(data))
    return data / "events.sqlite"


class Life:
    """Plays until it is ended. A seed determines what each writer does, but not when."""

    def __init__(self, seed: int, folder: Path, vma: SimulatedVMA) -> None:
        self.service = ServiceProcess(data_of(folder), vma.url, **SETTINGS)
        self._vma = vma
        self._seed = seed
        self._names: list[str] = []
        self._open: list[str] = []
        self._over = threading.Event()
        self._outage = threading.Lock()
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Start the service with a few jobs, and the writers."""
        self.service.start()
        rng = random.Random(self._seed)
        while len(self._open) < AT_FIRST:
            with suppress(httpx.TransportError):
                self._register(rng)
        self._threads = [threading.Thread(target=self._play, args=(n,), daemon=True) for n in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """End the writers and the service."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.service.close()

    def kill(self) -> None:
        """Kill the service in the middle of whatever it does, and start it again."""
        self.service.kill()
        self.service.start()

    def _play(self, number: int) -> None:
        rng = random.Random(f"{self._seed}/{number}")
        while not self._over.wait(rng.uniform(0.02, 0.3)):
            try:
                rng.choice(ACTIONS)(self, rng)
            except (httpx.TransportError, LookupError):
                # The service is being killed, or another writer has ended the same job.
                continue

    def _register(self, rng: random.Random) -> None:
        if len(self._open) >= MAX_OPEN or len(self._names) >= MAX_JOBS:
            self._finish(rng)
            return
        name = f"job {len(self._names):04}-ü" if rng.random() < 0.1 else f"job-{len(self._names):04}"
        self._names.append(name)
        volumes = [f"disk-{rng.randint(0, 60)}-{n}" for n in range(rng.choice([1, 1, 2, 3]))]
        self._vma.world.add_job(
            name,
            volumes,
            duration=rng.choice([3.0, 10.0, 3600.0]),
            progress=rng.choice([0.0, 50.0, 95.0]),
            outcome=rng.choice(["complete", "complete", "fail"]),
            reports=rng.choice(["exports", "exports", "job_id", "both", "shared_export"]),
        )
        body = {
            "job_id": name,
            "vm_name": f"VM {name}",
            "volume_ids": volumes,
            "vm_context_id": f"ctx-{rng.randint(0, 60)}",
        }
        if self.service.post("/api/v1/jobs", body).is_success:
            self._open.append(name)

    def _decide(self, rng: random.Random) -> None:
        name = rng.choice(self._names[-MAX_OPEN:])
        order = {
            "outcome": rng.choice(["complete", "fail"]),
            "who": rng.choice(["mara", "jo"]),
            "why": rng.choice(WORDS),
        }
        if self.service.post(f"/api/v1/jobs/{quote(name)}/decision", order).is_success and name in self._open:
            self._open.remove(name)

    def _report(self, rng: random.Random) -> None:
        name = rng.choice(self._open)
        kind, body = self._vma.world.report_of(name, rng.choice(FORMS), at=datetime.now(UTC))  # type: ignore[arg-type]
        self.service.post(f"/api/v1/telemetry/{kind}/{quote(name)}", body)

    def _recover(self, rng: random.Random) -> None:
        self.service.post("/api/v1/recovery-runs", {"dry_run": rng.random() < 0.3})

    def _finish(self, rng: random.Random) -> None:
        self._vma.world.finish(self._ended(rng))

    def _fail(self, rng: random.Random) -> None:
        self._vma.world.fail(self._ended(rng), rng.choice([None, "no space left"]))

    def _vanish(self, rng: random.Random) -> None:
        self._vma.world.remove(self._ended(rng))

    def _forget(self, rng: random.Random) -> None:
        self._vma.world.forget(rng.choice(self._open), reannounce=rng.choice([1.0, 4.0]))

    def _freeze(self, rng: random.Random) -> None:
        self._vma.world.freeze(rng.choice(self._open))

    def _resume(self, _rng: random.Random) -> None:
        for name in list(self._open):
            self._vma.world.resume(name)

    def _contradict(self, rng: random.Random) -> None:
        self._vma.world.contradict(rng.choice(self._open))

    def _restart_vma(self, _rng: random.Random) -> None:
        self._vma.world.restart(reannounce=2.0)

    def _break_vma(self, rng: random.Random) -> None:
        """Have the VMA fail for a while, in which others write on; long enough for some jobs to be given up."""
        if not self._outage.acquire(blocking=False):
            return
        fault = rng.choice(["refuse", "refuse", "hang", "reset", "html", "nan", "unauthorized"])
        self._vma.faults.set(fault)
        self._over.wait(rng.choice([0.3, 1.0, 5.0] if fault == "refuse" else [0.3, 1.0]))
        self._vma.faults.clear()
        self._over.wait(2.0)
        self._outage.release()

    def _ended(self, rng: random.Random) -> str:
        name = rng.choice(self._open)
        self._open.remove(name)
        return name


ACTIONS: list[Callable[[Life, random.Random], None]] = [
    *[Life._register] * 7,
    *[Life._decide] * 3,
    *[Life._report] * 3,
    Life._recover,
    *[Life._finish] * 2,
    Life._fail,
    Life._vanish,
    *[Life._forget] * 4,
    Life._freeze,
    Life._resume,
    Life._contradict,
    Life._restart_vma,
    Life._break_vma,
]
