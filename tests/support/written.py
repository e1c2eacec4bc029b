"""A log with times of the test's own choice."""

from typing import Any

from hypothesis import strategies as st

from domain.events import Event, JobRegistered, VMAStatusObserved
from domain.vma_status import VMAStatus
from tests.support.builders import at, document, observed

Written = tuple[str, float]
"""A job, and the seconds after noon that the clock said when its event was recorded."""

DAY = 86_400.0

ANY_CLOCK = st.one_of(st.integers(0, 20), st.integers(-100_000, 100_000)).map(float)
ANY_LOG = st.lists(st.tuples(st.sampled_from(["job-1", "job-2", "job-3"]), ANY_CLOCK), min_size=1, max_size=25)
"""Few different seconds, so that they collide, and some steps of a day."""


def log_of(*written: Written) -> list[Event]:
    """Return a log in this order: each job's registration, then its growing progress."""
    versions: dict[str, int] = {}
    events: list[Event] = []
    for job_id, seconds in written:
        version = versions[job_id] = versions.get(job_id, 0) + 1
        common: Any = {"originator_id": job_id, "originator_version": version, "recorded_at": at(seconds)}
        common |= {"correlation_id": "request-1", "causation_id": "request-1"}
        if version == 1:
            names: Any = {"vm_name": "vm", "vm_context_id": f"ctx-{job_id}", "vma": "default", "volume_ids": ("v1",)}
            events.append(JobRegistered(**common, **names))
        else:
            running = document(VMAStatus.RUNNING, float(version))
            events.append(VMAStatusObserved(**common, observation=observed(running, job_id=job_id, seconds=seconds)))
    return events
