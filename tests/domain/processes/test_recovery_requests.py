"""Each job that needs recovery is in the next run once, with the first cause."""

from domain.events import Cause
from domain.processes.recovery_requests import RecoveryRequests


def test_a_job_that_is_requested_again_keeps_its_first_cause_and_the_others_have_theirs() -> None:
    requests = RecoveryRequests()

    requests.request("job-1", Cause.CONTACT_LOST)
    requests.request("job-2", Cause.STALE)
    for cause in (Cause.STALE, Cause.RETRY_DUE):
        requests.request("job-1", cause)

    assert requests.drain({}) == {Cause.CONTACT_LOST: ["job-1"], Cause.STALE: ["job-2"]}


def test_what_was_drained_is_not_asked_for_again_and_may_be_requested_anew() -> None:
    requests = RecoveryRequests()
    for cause in (Cause.STALE, Cause.CONTACT_LOST):
        requests.request("job-1", cause)
        assert requests.asked.is_set()

        assert requests.drain({}) == {cause: ["job-1"]}

        assert not requests.asked.is_set()
        assert requests.drain({}) == {}


def test_a_job_that_a_run_has_claimed_is_left_to_it_and_another_is_not() -> None:
    requests = RecoveryRequests()
    requests.request("job-1", Cause.STALE)
    requests.request("job-2", Cause.STALE)

    assert requests.drain({"job-1": "run-1"}) == {Cause.STALE: ["job-2"]}
    assert requests.drain({}) == {}
