"""The real service as a separate process, which a test starts, kills and reads over HTTP."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from adapters.tokens import Scope
from tests.support import logs
from tests.support.awake import awake
from tests.support.process import ForkedProcess, Process

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds within which a condition must become true."""

IMPORTING = 4 * PATIENCE
"""Seconds for a process that imports the service itself, instead of being forked from one that has."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.3
"""Seconds between two looks at a condition, by default: a tenth of the time waited so far."""

QUICK = {
    "POLL_INTERVAL": "0.3",
    "PROBE_TIMEOUT": "1",
    "CONFIRMATION_WINDOW": "1",
    "CONFIRMATION_PROBES": "3",
    "UNREACHABLE_GRACE": "1",
    "COMPLETION_WINDOW": "2",
    "ATTENTION_AFTER": "1",
    "RETRY_BACKOFF_INITIAL": "0.4",
    "RETRY_BACKOFF_MAX": "1",
    "LOG_FORMAT": "json",
    "RATE_LIMIT": "0",
}
"""Settings that make minutes of production a second."""

PATIENT = {"PROBE_TIMEOUT": "20"}
"""For a VMA that always answers: the test's own process, in which it runs, may be kept from running for seconds."""


def wait_until(condition: Callable[[], T | None], within: float = PATIENCE, what: str = "", every: float = 0) -> T:
    """Return the condition's value as soon as it is true; evaluate it every `every` seconds, or ever less often.

    Most conditions ask the service, and what waits for long must not keep it from its work.

    Raises:
        AssertionError: it has not become true while this process ran for so long; the message has the last value.

    """
    began, deadline = time.monotonic(), awake() + within
    while True:
        value = condition()
        if value:
            return value
        assert awake() < deadline, f"not within {within} s: {what or condition} (last: {value!r})"
        time.sleep(every or min(LONGEST_PAUSE, max(SHORTEST_PAUSE, (time.monotonic() - began) / 10)))


class ServiceProcess:
    """One `job-recovery serve` on a data directory, and its HTTP API. `patience` is for its start, in seconds."""

    patience = PATIENCE

    def __init__(self, data_dir: Path, vma_url: str, **settings: str) -> None:
        self.data_dir = data_dir
        self.log_file = data_dir.with_suffix(".log")
        self.settings = {**QUICK, "VMA_URL": vma_url, **settings}
        self._process: Process | None = None
        self._http = httpx.Client(timeout=10, trust_env=False)
        self._logged = 0

    @property
    def url(self) -> str:
        return str(self._http.base_url)

    @property
    def process(self) -> Process:
        assert self._process is not None, "the service was not started, or has been ended"
        return self._process

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("JOB_RECOVERY_")}
        return {
            **own,
            **logs.environment_of(self.data_dir),
            "JOB_RECOVERY_PORT": "0",
            **{f"JOB_RECOVERY_{name}": value for name, value in self.settings.items()},
        }

    def start(self, *, ready: bool = True) -> None:
        """Start the process; return when it serves, or when it is ready."""
        self.begin()
        self.connect()
        if ready:
            wait_until(lambda: self._http.get("/readyz").is_success, what="ready")

    def begin(self) -> None:
        """Start the process; return at once."""
        self._logged = self.log_file.stat().st_size if self.log_file.exists() else 0
        self._process = self.launch()

    def connect(self) -> None:
        """Wait until the process serves, and send requests to it from now on."""
        self._http.base_url = httpx.URL(self._address())

    def authorize(self, token: str) -> None:
        """Send this token with every request."""
        self._http.headers["Authorization"] = f"Bearer {token}"

    def launch(self) -> Process:
        """Start a process, with its output to the log file."""
        return ForkedProcess(self.environment, self.log_file)

    def kill(self) -> None:
        """End the process with SIGKILL, like a crash."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._process = None

    def terminate(self) -> int:
        """End the process with SIGTERM, like an operator; return its exit code."""
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self._process = None
        return code

    def close(self) -> None:
        """End the process and the client."""
        if self._process is not None:
            self.kill()
        self._http.close()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event since the last start."""
        with self.log_file.open("rb") as log:
            log.seek(self._logged)
            # The last line may be written at this moment.
            lines = log.read().rpartition(b"\n")[0].decode().splitlines()
        found = [json.loads(line) for line in lines if f'"event":"{event}"' in line.replace(": ", ":")]
        return [line for line in found if line["event"] == event]

    def completed(self, cause: str) -> list[dict[str, Any]]:
        """Return the log lines of completed runs with this cause since the last start."""
        return [run for run in self.logged("recovery_completed") if run["cause"] == cause]

    def finished_run(self, run_id: str) -> dict[str, Any]:
        """Return a recovery run as the API shows it, once the read model has its end: the log line may come first."""

        def finished() -> dict[str, Any] | None:
            response = self.get(f"/api/v1/recovery-runs/{run_id}")
            run: dict[str, Any] = response.json()
            return run if run.get("status") == "finished" else None

        return wait_until(finished, what=f"the end of {run_id}")

    def register(self, job_id: str, *volume_ids: str, **more: Any) -> dict[str, Any]:
        """Register a job and return it."""
        body = {
            "job_id": job_id,
            "vm_name": f"vm-of-{job_id}",
            "volume_ids": list(volume_ids),
            **more,
        }
        response = self.post("/api/v1/jobs", body)
        assert response.status_code in {200, 201}, response.text
        found: dict[str, Any] = response.json()
        return found

    def token(self, name: str, scope: Scope) -> str:
        """Create a token, and return its secret as soon as the service knows it."""
        secret = logs.tokens_of(self.data_dir).create(name, scope, datetime.now(UTC))
        headers = {"Authorization": f"Bearer {secret}"}
        wait_until(
            lambda: self._http.get("/api/v1/session", headers=headers).json().get("name") == name, what=f"knows {name}"
        )
        return secret

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self._http.post(path, json=body)

    def decide(self, job_id: str, outcome: str, why: str = "checked by hand") -> dict[str, Any]:
        """Decide a job as an operator, and return it."""
        response = self.post(f"/api/v1/jobs/{job_id}/decision", {"outcome": outcome, "who": "mara", "why": why})
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._http.get(path, params=query)

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the API shows it."""
        response = self.get(f"/api/v1/jobs/{quote(job_id, safe='')}")
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return all items of a list."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=1000, **query, **cursor).json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    def jobs(self, **query: Any) -> list[dict[str, Any]]:
        return self.pages("/api/v1/jobs", **query)

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Return the events of the job's own stream, without those of its VM context."""
        events = self.pages(f"/api/v1/jobs/{quote(job_id, safe='')}/events")
        return [event for event in events if event["stream_id"] == job_id]

    def outcomes_of(self, job_id: str) -> set[str]:
        """Return every outcome in the job's history."""
        kinds = {"RecoveryDecided": "outcome", "OutcomeRevised": "to_state"}
        return {e["data"][kinds[e["type"]]] for e in self.events(job_id) if e["type"] in kinds}

    def wait_for(self, job_id: str, within: float = PATIENCE, **expected: Any) -> dict[str, Any]:
        """Wait until the job has these values; `rule` and `outcome` are those of its last decision."""

        def matches() -> dict[str, Any] | None:
            response = self.get(f"/api/v1/jobs/{quote(job_id, safe='')}")
            # The read model may not have it yet.
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            assert response.is_success, response.text
            job: dict[str, Any] = response.json()
            decision = job["decision"] or {}
            shown = {**job, "rule": decision.get("rule"), "outcome": decision.get("outcome")}
            return job if all(shown[name] == value for name, value in expected.items()) else None

        try:
            return wait_until(matches, within, f"{job_id} with {expected}")
        except AssertionError as error:
            history = "\n".join(f"{e['type']}: {e['data']}" for e in self.events(job_id))
            message = f"{error}\nis: {self.job(job_id)}\nhistory:\n{history}"
            raise AssertionError(message) from None

    def _address(self) -> str:
        """Return the address of the service, once it is logged."""
        started = wait_until(lambda: self.logged("service_started") or self._ended(), self.patience, "started")
        assert isinstance(started, list), self.log_file.read_text()
        address: str = started[0]["address"]
        return address

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
