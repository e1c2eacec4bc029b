"""Prometheus metrics. Job ids are never labels, because their number is unbounded."""

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from domain.events import Event, RecoveryDecided
from domain.replication_job import ReplicationJob
from domain.vma_status import Observation

SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All metrics, in a registry of their own."""

    def __init__(self) -> None:
        """Register all metrics."""
        self._registry = CollectorRegistry()
        self._jobs = Gauge("job_recovery_jobs", "Jobs by state", ["state"], registry=self._registry)
        self._decisions = Counter(
            "job_recovery_decisions", "Decisions by rule and outcome", ["rule", "outcome"], registry=self._registry
        )
        self._probes = Histogram(
            "job_recovery_probe_seconds", "Probes by status", ["vma", "status"], buckets=SHORT, registry=self._registry
        )
        self._appends = Histogram(
            "job_recovery_append_seconds",
            "From a request to store events to its acknowledgement",
            buckets=SHORT,
            registry=self._registry,
        )
        self._poll_lag = Gauge("job_recovery_poll_lag_seconds", "How late polls begin", registry=self._registry)
        self._projection_lag = Gauge(
            "job_recovery_projection_lag_events", "Events not in the read model yet", registry=self._registry
        )
        self._lines_dropped = Counter(
            "job_recovery_log_lines_dropped",
            "Lines of the log that could not be written, or not fast enough",
            registry=self._registry,
        )
        self._lines_counted = 0
        self._reachable = Gauge(
            "job_recovery_vma_reachable",
            "0 while the VMA does not answer, or refuses the login; 1 also for a VMA that was never asked",
            ["vma"],
            registry=self._registry,
        )

    def decided(self, _job: ReplicationJob, events: Sequence[Event]) -> None:
        """Count the decisions among events."""
        for event in events:
            if isinstance(event, RecoveryDecided):
                self._decisions.labels(event.rule.value, event.outcome.value).inc()

    def probed(self, observation: Observation) -> None:
        """Record the duration of a probe."""
        self._probes.labels(observation.vma, observation.status.value).observe(observation.took_ms / 1000)

    def appended(self, seconds: float) -> None:
        """Record the duration of an append."""
        self._appends.observe(seconds)

    def scrape(
        self,
        *,
        jobs: Mapping[str, int],
        poll_lag: float,
        projection_lag: int,
        log_lines_dropped: int,
        reachable: Mapping[str, bool],
    ) -> bytes:
        """Return all metrics in Prometheus' text format."""
        # No figures rather than those of the last scrape.
        self._jobs.clear()
        for state, count in jobs.items():
            self._jobs.labels(state).set(count)
        self._poll_lag.set(poll_lag)
        self._projection_lag.set(projection_lag)
        self._lines_dropped.inc(log_lines_dropped - self._lines_counted)
        self._lines_counted = log_lines_dropped
        for vma, is_reachable in reachable.items():
            self._reachable.labels(vma).set(is_reachable)
        return generate_latest(self._registry)
