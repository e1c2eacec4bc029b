"""A real service and a simulated VMA, with the hazards of a year in a few minutes."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from adapters.simulated_vma import SimulatedVMA
from tests.support import logs
from tests.support.service import ServiceProcess, wait_until

SETTINGS = {
    "UNREACHABLE_TIMEOUT": "10",
    "STARTUP_GRACE": "3",
    "COMPLETION_WINDOW": "3",
    "STALE_AFTER": "5",
    "RATE_LIMIT": "0",
}
MAX_JOBS = 300
REACTION = 60.0
"""Seconds after the last hazard within which every job must have its true state."""

ENDED = {"completed", "failed"}
UNKNOWABLE = {"never-seen", "unanswered"}
NEAR_END = 90.0
"""Percent, as in the policy by default."""


class Result(msgspec.Struct, kw_only=True):
    """The result of a soak. Memory of the service in megabytes, at the first and the last check under load."""

    seed: int
    seconds: float = 0.0
    jobs: int = 0
    kills: int = 0
    hazards: Counter[str] = msgspec.field(default_factory=Counter)
    events: int = 0
    states: dict[str, int] = msgspec.field(default_factory=dict)
    memory_first: float = 0.0
    memory_last: float = 0.0


class Soak:
    """One long run; a seed determines its hazards."""

    def __init__(self, seed: int, folder: Path, vma: SimulatedVMA) -> None:
        self.result = Result(seed=seed)
        self.service = ServiceProcess(folder / "data", vma.url, **SETTINGS)
        self._vma = vma
        self._rng = random.Random(seed)
        self._acknowledged: set[str] = set()
        self._states: dict[str, set[str]] = {}

    def run(self, seconds: float) -> Result:
        """Cause hazards for this time, then none, and check the final states.

        Raises:
            AssertionError: an invariant is violated.

        """
        began = time.monotonic()
        self.service.start()
        while time.monotonic() - began < seconds:
            self._register()
            hazard = self._rng.choice(HAZARDS)
            self.result.hazards[hazard.__name__.strip("_")] += 1
            hazard(self)
            time.sleep(self._rng.uniform(0.05, 0.5))
            self._check()
        self._clear()
        try:
            wait_until(lambda: not self._wrong_jobs(), REACTION, "every job in its true state", 0.5)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self._wrong_jobs()}") from None
        self.result.seconds = time.monotonic() - began
        self._check_log()
        return self.result

    def _register(self) -> None:
        if len(self._acknowledged) >= MAX_JOBS:
            return
        name = f"job-{len(self._states):05}"
        self._states[name] = {"running"}
        self._vma.world.add_job(
            name,
            [f"disk-{name}"],
            duration=self._rng.choice([5.0, 20.0, 3600.0]),
            progress=self._rng.choice([0.0, 50.0, 95.0]),
            outcome=self._rng.choice(["complete", "complete", "fail"]),
        )
        answer = self.service.post("/api/v1/jobs", {"job_id": name, "vm_name": name, "volume_ids": [f"disk-{name}"]})
        if answer.is_success:
            self._acknowledged.add(name)

    def _check(self) -> None:
        """Check that an acknowledged job exists, and that it ended only if its worker did."""
        for name in self._states:
            self._states[name].add(self._vma.world.truth(name))
        if len(self._acknowledged) == 0:
            return
        job = self.service.job(self._rng.choice(sorted(self._acknowledged)))
        been = self._states[job["job_id"]] | {self._vma.world.truth(job["job_id"])}
        assert job["basis"] != "observed" or job["state"] in been, f"{job} was only ever {been}"
        self.result.memory_last = _megabytes(self.service.process.pid)
        self.result.memory_first = self.result.memory_first or self.result.memory_last

    def _clear(self) -> None:
        self._vma.faults.clear()
        self.kill()
        self.result.jobs = len(self._acknowledged)

    def kill(self) -> None:
        """Kill the service, verify the log, and start it."""
        self.service.kill()
        self.result.kills += 1
        verdict = logs.verify(self.service.data_dir)
        assert verdict.broken_at is None, verdict
        assert verdict.events >= self.result.events, f"events are lost: {verdict.events} of {self.result.events}"
        self.result.events = verdict.events
        self.service.start()

    def _wrong_jobs(self) -> list[str]:
        """Return the jobs that do not have their true state, each with both states."""
        jobs = {job["job_id"]: job for job in self.service.jobs()}
        assert jobs.keys() >= self._acknowledged, f"jobs are lost: {self._acknowledged - jobs.keys()}"
        return [
            f"{job_id} is {self._vma.world.truth(job_id)}, and {job['state']} ({job['basis']})"
            for job_id, job in jobs.items()
            if not self._is_right(job)
        ]

    def _is_right(self, job: dict[str, Any]) -> bool:
        truth = self._vma.world.truth(job["job_id"])
        if truth == "running":
            return bool(job["state"] == "replicating")
        if job["state"] == "pending-retry" and job["decision"]["rule"] in UNKNOWABLE:
            # The documents at its registration are unknown, and it ended before it was observed.
            return True
        is_known = self._vma.world.progress_of(f"migration-vol-disk-{job['job_id']}") is not None
        if truth in ENDED and is_known:
            return bool(job["state"] == truth)
        if job["state"] == "pending-retry" and not is_known:
            # It was forgotten near its end: it waits for an operator.
            return bool(job["decision"]["rule"] == "vma-amnesia" and job["progress_percent"] > NEAR_END)
        # The VMA does not know it, or has restarted since: its state is a guess, or was observed before.
        return job["state"] in ENDED and (job["basis"] == "inferred" or job["state"] in self._states[job["job_id"]])

    def _check_log(self) -> None:
        positions = [entry["position"] for entry in self.service.pages("/api/v1/audit", order="oldest")]
        assert positions == list(range(1, len(positions) + 1)), "the trail has a gap"
        decided = Counter(
            (entry["job_id"], entry["run_id"]) for entry in self.service.pages("/api/v1/audit", type="RecoveryDecided")
        )
        assert set(decided.values()) <= {1}, f"decided twice: {decided.most_common(3)}"
        self.result.states = dict(Counter(job["state"] for job in self.service.jobs()))
        assert self.service.terminate() == 0
        verdict = logs.verify(self.service.data_dir)
        assert verdict.broken_at is None, verdict
        self.result.events = verdict.events

    def any_job(self) -> str:
        """Return any job's name, and record its state until now."""
        name = self._rng.choice(list(self._states))
        self._states[name].add(self._vma.world.truth(name))
        return name

    def fault(self) -> None:
        """Set a fault of the VMA."""
        self._vma.faults.set(self._rng.choice(["refuse", "hang", "reset", "html", "truncated", "nan", "wrong_id"]))

    def clear(self) -> None:
        """Clear the faults of the VMA."""
        self._vma.faults.clear()

    def world(self) -> Any:
        """Return the simulated world."""
        return self._vma.world


def _the_service_is_killed(soak: Soak) -> None:
    soak.kill()


def _the_service_is_stopped(soak: Soak) -> None:
    assert soak.service.terminate() == 0
    soak.service.start()


def _the_read_model_is_deleted(soak: Soak) -> None:
    soak.service.kill()
    for file in soak.service.data_dir.glob("read_model.sqlite*"):
        file.unlink()
    soak.service.start()


def _the_vma_has_a_fault(soak: Soak) -> None:
    soak.fault()


def _the_vma_has_no_fault(soak: Soak) -> None:
    soak.clear()


def _the_vma_restarts(soak: Soak) -> None:
    soak.world().restart(reannounce=1.5)


def _a_job_ends(soak: Soak) -> None:
    name = soak.any_job()
    if soak.world().truth(name) == "running":
        soak.world().finish(name)


def _a_job_vanishes(soak: Soak) -> None:
    soak.world().remove(soak.any_job())


def _many_requests(soak: Soak) -> None:
    for path in ("/api/v1/audit", "/api/v1/jobs", "/metrics", "/api/v1/recovery/status", "/api/v1/audit/export"):
        assert soak.service.get(path).is_success, path


def _an_operator_recovers(soak: Soak) -> None:
    assert soak.service.post("/api/v1/recovery-runs", {}).status_code == httpx.codes.ACCEPTED


def _another_program_reads_the_log(soak: Soak) -> None:
    ((events,),) = logs.execute(soak.service.data_dir, "SELECT count(*) FROM stored_events")
    assert events > 0


HAZARDS: list[Callable[[Soak], None]] = [
    _the_service_is_killed,
    _the_service_is_stopped,
    _the_read_model_is_deleted,
    _the_vma_has_a_fault,
    _the_vma_has_no_fault,
    _the_vma_has_no_fault,
    _the_vma_restarts,
    _a_job_ends,
    _a_job_vanishes,
    _many_requests,
    _an_operator_recovers,
    _another_program_reads_the_log,
]


def _megabytes(pid: int) -> float:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096 / 1e6
