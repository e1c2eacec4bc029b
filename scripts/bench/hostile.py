"""Measures the effect of one hostile client or VMA on all others: the real service under each attack.

    .venv/bin/python scripts/bench/hostile.py [ATTACK|all] [SECONDS]

Each attack runs in a process of its own for SECONDS (60), on a service with five honest jobs and a log of
20,000 events. Prints the p50 and p99 of /livez and the p99 of reading a job in milliseconds, each on a new connection,
with the reads that failed; the longest delay of an honest poll in seconds; and the service's peak memory in MB.
"""

import asyncio
import http.client
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]


from history import History

from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.simulated_vma import HeldPort, SimulatedVMA
from tests.hostile.attacks import ATTACKS, JOB
from tests.support.fleet import run_jobs
from tests.support.service import ServiceProcess

JOBS = [JOB, *(f"honest-{n}" for n in range(1, 5))]
EVENTS = 20_000
POLL_INTERVAL = 1.0
PATIENCE = 10.0
"""Seconds after which a read has failed."""


class Reads(NamedTuple):
    """The duration of reads in seconds, and the errors of failed ones."""

    took: list[float]
    failed: list[str]

    def percentile(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        return 1000 * sorted(self.took)[int(share * (len(self.took) - 1))]


def read_on(port: int, path: str, reads: Reads, until: float) -> None:
    """Read a path on new connections, ten times per second."""
    while (began := time.monotonic()) < until:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            client.request("GET", path)
            if (status := client.getresponse().status) != http.client.OK:
                reads.failed.append(str(status))
        except (OSError, http.client.HTTPException) as error:
            reads.failed.append(type(error).__name__)
        finally:
            client.close()
        reads.took.append(time.monotonic() - began)
        time.sleep(0.1)


def longest_delay(vma: SimulatedVMA, until: float) -> float:
    """Count the polls of each honest job until then; return the longest delay of a poll, in seconds."""
    polls = {job: [(0, time.monotonic())] for job in JOBS}
    while time.monotonic() < until:
        for job, seen in polls.items():
            if (count := vma.requests.count(f"migration-vol-disk-{job}")) != seen[-1][0]:
                seen.append((count, time.monotonic()))
        time.sleep(0.02)
    gaps = [later[1] - sooner[1] for seen in polls.values() for sooner, later in pairwise([*seen, (0, until)])]
    return max(gaps) - POLL_INTERVAL


def peak_memory(pid: int) -> float:
    """Return the peak memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run_attack(name: str, port: int) -> None:
    """Attack, in a process of its own."""
    asyncio.run(ATTACKS[name](port))


def measure(name: str, seconds: float, folder: Path) -> None:
    """Start a service, attack it, and print the measurements."""
    folder.mkdir()
    with closing(SQLiteEventLog(folder / "events.sqlite", synchronous="OFF")) as log:
        asyncio.run(History(log).write(EVENTS))
    with SimulatedVMA() as vma, HeldPort() as hostile:
        others = json.dumps({"hostile": f"http://127.0.0.1:{hostile.number}"})
        settings = {"VMAS": others, "PROBE_TIMEOUT": "5", "POLL_INTERVAL": str(POLL_INTERVAL)}
        service = ServiceProcess(folder, vma.url, **settings)
        service.start()
        run_jobs(vma, service, JOBS)
        for n in range(20 * (name == "vma")):
            service.register(f"other-{n}", f"disk-other-{n}", vma="hostile")
        port = int(service.url.rpartition(":")[2].strip("/"))
        attacker = multiprocessing.get_context("spawn").Process(
            target=run_attack, args=(name, hostile.number if name == "vma" else port), daemon=True
        )
        attacker.start()
        time.sleep(2)
        until = time.monotonic() + seconds
        live, job = Reads([], []), Reads([], [])
        paths = {"/livez": live, f"/api/v1/jobs/{JOB}": job}
        readers = [threading.Thread(target=read_on, args=(port, path, reads, until)) for path, reads in paths.items()]
        for reader in readers:
            reader.start()
        delay = longest_delay(vma, until)
        for reader in readers:
            reader.join()
        memory = peak_memory(service.process.pid)
        attacker.kill()
        service.close()
    figures = f"{live.percentile(0.5):9.0f} {live.percentile(0.99):9.0f} {job.percentile(0.99):9.0f}"
    failed = f"{len(live.failed)}+{len(job.failed)} of {len(live.took)}+{len(job.took)}"
    print(
        f"{name:12} {figures} {delay:9.2f} {memory:9.0f}   {failed} {sorted({*live.failed, *job.failed})}", flush=True
    )


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "all"
    print("attack       livez p50 livez p99   job p99   delay s    MB   reads that failed")
    for one in ATTACKS if asked == "all" else asked.split(","):
        with tempfile.TemporaryDirectory() as place:
            measure(one, float(sys.argv[2]) if len(sys.argv) > 2 else 60, Path(place) / "data")  # noqa: PLR2004
