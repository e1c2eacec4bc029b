"""Every open job has exactly one watcher, and so has every guess."""

from domain.lifecycle import OPEN_STATES, JobState
from domain.processes.watch import Watch
from domain.recovery_policy import Basis
from domain.replication_job import ReplicationJob


class Watcher:
    """Remembers whom it watches."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()

    def watch(self, job: ReplicationJob) -> None:
        self.jobs.add(job.id)

    def drop(self, job_id: str) -> None:
        self.jobs.discard(job_id)


def watchers_of(*states: tuple[JobState, Basis | None]) -> list[int]:
    """Walk a job through these states; return the index of its watcher at the end."""
    watchers = [Watcher(), Watcher(), Watcher()]
    watch = Watch(*watchers)
    job = ReplicationJob(id="job-1")
    for state, basis in states:
        job.state, job.outcome_basis = state, basis
        watch.assign(job)
        watch.assign(job)
    return [n for n, watcher in enumerate(watchers) if watcher.jobs]


def test_each_state_has_the_watcher_that_the_table_says() -> None:
    assert watchers_of((JobState.REPLICATING, None)) == [0]
    assert watchers_of((JobState.PENDING_RETRY, None)) == [1]
    assert watchers_of((JobState.FAILED, Basis.INFERRED)) == [2]
    assert watchers_of((JobState.FAILED, Basis.OBSERVED)) == []
    assert watchers_of((JobState.COMPLETED, None)) == []
    assert watchers_of((JobState.RECOVERING, None)) == []


def test_a_job_never_has_two_watchers_wherever_it_comes_from() -> None:
    situations = [*((state, None) for state in OPEN_STATES), (JobState.FAILED, Basis.INFERRED)]
    for before in situations:
        for after in situations:
            assert watchers_of(before, after) == watchers_of(after)
