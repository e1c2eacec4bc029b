"""What is known of a job while a command changes it, and when its storing is in doubt."""

from domain.events import Trace
from domain.replication_job import ReplicationJob
from domain.watched_jobs import WatchedJobs
from tests.support.builders import at, registration

TRACE = Trace("r", "r")


def stored(job_id: str = "job-1") -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register(registration(job_id), at(0), TRACE)
    job.pending.clear()
    return job


def test_a_job_whose_storing_is_in_doubt_may_be_open_until_it_was_read_again() -> None:
    jobs, job = WatchedJobs(), stored()
    jobs.put_back(job)
    jobs.take_out(job)
    job.mark_stalled(at(1), at(2))

    jobs.doubt(job.id)
    jobs.put_back(job)

    assert (jobs.get("job-1"), jobs.may_be_open("job-1"), jobs.may_be_open("job-2")) == (None, True, False)
    jobs.put_back(stored())
    assert (jobs.get("job-1"), jobs.may_be_open("job-1")) == (stored(), True)


def test_a_job_that_is_forgotten_may_be_open_if_it_was_known() -> None:
    jobs = WatchedJobs()
    jobs.put_back(stored())

    for job_id in ("job-1", "job-2"):
        jobs.forget(job_id)

    assert (jobs.may_be_open("job-1"), jobs.may_be_open("job-2")) == (True, False)
