"""What is known of a job while a command changes it, and when its storing is in doubt."""

from domain.events import Trace
from domain.recovery_policy import Outcome
from domain.replication_job import ReplicationJob
from domain.watched_jobs import WatchedJobs
from tests.support.builders import at, registration

TRACE = Trace("r", "r")


def stored(job_id: str = "job-1") -> ReplicationJob:
    job = ReplicationJob(id=job_id)
    job.register(registration(job_id), at(0), TRACE)
    job.pending.clear()
    return job


def ended(job_id: str) -> ReplicationJob:
    job = stored(job_id)
    job.operator_decide(Outcome.FAIL, "mara", "gone", at(1), TRACE)
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


def test_a_job_is_known_as_it_was_while_it_is_changed_or_in_doubt_until_it_was_read_again() -> None:
    jobs, job = WatchedJobs(), stored()
    jobs.put_back(job)
    jobs.put_back(stored("job-2"))
    assert jobs.last_known("job-1") is job

    jobs.take_out(job)
    job.mark_stalled(at(1), at(2))
    assert jobs.last_known("job-1") == stored()

    jobs.doubt("job-1")
    assert jobs.last_known("job-1") == stored()

    jobs.put_back(ended("job-1"))
    assert jobs.last_known("job-1") is None
    assert (jobs.last_known("job-2"), jobs.last_known("job-3")) == (stored("job-2"), None)


def test_a_job_that_is_forgotten_is_known_as_it_was_whether_or_not_it_is_being_changed() -> None:
    jobs = WatchedJobs()
    for job_id in ("job-1", "job-2"):
        jobs.put_back(stored(job_id))
    jobs.take_out(stored("job-1"))

    for job_id in ("job-1", "job-2", "job-3"):
        jobs.forget(job_id)

    assert [jobs.last_known(job_id) for job_id in ("job-1", "job-2", "job-3")] == [
        stored("job-1"),
        stored("job-2"),
        None,
    ]


def test_a_load_adds_no_job_that_is_here_or_is_being_changed() -> None:
    jobs, here, changed = WatchedJobs(), stored("job-1"), stored("job-2")
    jobs.put_back(here)
    jobs.put_back(changed)
    jobs.take_out(changed)

    jobs.add({job_id: stored(job_id) for job_id in ("job-1", "job-2", "job-3")})

    assert jobs.get("job-1") is here
    assert (jobs.get("job-2"), jobs.get("job-3")) == (None, stored("job-3"))


def test_each_load_learns_of_the_jobs_that_end_while_it_lasts() -> None:
    jobs = WatchedJobs()
    for job_id in ("job-1", "job-2", "job-3", "job-4"):
        jobs.put_back(stored(job_id))

    def end(job_id: str) -> None:
        jobs.take_out(stored(job_id))
        jobs.put_back(ended(job_id))

    with jobs.loading() as first:
        end("job-1")
        with jobs.loading() as second:
            end("job-2")
        end("job-3")
        jobs.put_back(stored("job-4"))

    assert (dict(first), dict(second)) == (
        {job_id: ended(job_id) for job_id in ("job-1", "job-2", "job-3")},
        {"job-2": ended("job-2")},
    )
    assert [job.id for job in jobs] == ["job-4"]
