"""What a job knows of the address of its VMA."""

import msgspec
import pytest

from domain.attribution import InitialReadings, PreviousReading
from domain.replication_job import ReplicationJob
from domain.vma_status import WORKER, Document, VMAStatus
from tests.domain.registering import TRACE, registered, running
from tests.support.builders import JOB, NOON, at, document, observed, registration

COMPLETED = observed(document(VMAStatus.COMPLETED, 100.0, total=None, started="10:00"))
GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)


class TestAddress:
    """Where the VMA was when it last knew the job."""

    @staticmethod
    def at_address(address: str | None, volumes: tuple[str, ...] = ("v1",)) -> ReplicationJob:
        job = ReplicationJob(id=JOB)
        job.register(
            registration(job.id, vm_name="pgtest1", vm_context_id="ctx-1", volume_ids=volumes),
            NOON,
            TRACE,
            InitialReadings(address=address),
        )
        return job

    def test_it_is_known_from_the_registration_if_it_answered_then(self) -> None:
        assert self.at_address("http://a").vma_address == "http://a"
        assert registered().vma_address is None

    @pytest.mark.parametrize("said", [document(VMAStatus.RUNNING, 4.0), document(VMAStatus.FAILED, 4.0)])
    def test_it_is_where_the_job_was_heard_of_since(self, said: Document) -> None:
        job = self.at_address("http://a")

        job.observe(observed(said, address="http://b"), at(10))

        assert job.vma_address == "http://b"

    @pytest.mark.parametrize("silence", [GONE.status, DOWN.status, VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED])
    def test_it_is_not_where_the_job_was_not_known_any_more(self, silence: VMAStatus) -> None:
        job = self.at_address("http://a")
        job.observe(observed(document(percent=4.0), address="http://a"), at(5))

        job.observe(observed(silence, own=silence, address="http://b"), at(10))

        assert job.vma_address == "http://a"

    def test_an_end_at_another_address_may_be_an_earlier_jobs_also_after_the_job_was_seen(self) -> None:
        job = self.at_address("http://a", volumes=("v1", "v2"))
        job.observe(observed(document(percent=4.0), document(percent=4.0), address="http://a"), at(5))

        here, elsewhere = job.target_at("http://a"), job.target_at("http://b")

        assert (here.unasked, here.reused) == (frozenset(), frozenset())
        assert elsewhere.unasked == elsewhere.reused == {"v1", "v2"}

    def test_a_job_that_was_seen_is_known_at_another_address_as_soon_as_it_runs_there(self) -> None:
        """Also if its volume had an earlier job that was never observed."""
        never_observed = PreviousReading(volume_id="v1", status=VMAStatus.UNANSWERED)
        job = ReplicationJob(id=JOB)
        readings = InitialReadings(previous_readings=(never_observed,), address="http://a")
        job.register(registration(job.id, volume_ids=("v1",)), NOON, TRACE, readings)
        job.observe(observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND, address="http://a"), at(1))
        job.observe(observed(document(percent=4.0), address="http://a"), at(5))
        target = job.target_at("http://b")
        assert target.previous_readings == ()

        seen = observed(document(percent=5.0), unasked=target.unasked, address="http://b")
        job.observe(seen, at(10))

        assert (seen.status, job.vma_address) == (VMAStatus.RUNNING, "http://b")
        assert job.target_at("http://b").unasked == frozenset()

    def test_of_a_job_that_was_seen_nobody_knows_where_no_address_is_another_one(self) -> None:
        job = self.at_address(None)
        job.observe(observed(document(percent=4.0), address=None), at(5))

        assert (job.seen_on_vma, job.target_at("http://b").unasked) == (True, frozenset())

    @pytest.mark.parametrize("silence", [DOWN.status, VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED])
    def test_before_the_job_is_seen_it_is_not_where_nothing_was_answered(self, silence: VMAStatus) -> None:
        job = self.at_address("http://a")

        job.observe(observed(silence, own=silence, address="http://b"), at(10))

        assert (job.vma_address, job.unasked) == ("http://a", ())

    def test_before_the_job_is_seen_it_moves_to_where_its_exports_were_asked(self) -> None:
        """What stood at the one address says nothing of what stands at the other."""
        job = self.at_address("http://a", volumes=("v1", "v2"))
        assert job.target_at("http://a").unasked == frozenset()
        assert job.target_at("http://b").unasked == {"v1", "v2"}

        job.observe(observed(GONE.status, DOWN.status, own=GONE.status, address="http://b"), at(10))

        assert (job.vma_address, job.unasked) == ("http://b", ("v2",))
        assert job.target_at("http://b").unasked == {"v2"}
        assert job.target_at("http://a").unasked == {"v1", "v2"}

    def test_a_completion_at_another_address_may_be_an_earlier_jobs(self) -> None:
        job = self.at_address("http://a")
        target = job.target_at("http://b")

        seen = observed(document(VMAStatus.COMPLETED, 100.0), own=GONE.status, unasked=target.unasked)

        assert (seen.doubtful, seen.covered) == (True, 0)

    def test_nor_is_it_where_a_document_may_be_the_previous_workers(self) -> None:
        job = self.at_address("http://a")

        job.observe(observed(document(COMPLETED.status), unasked=frozenset({"v1"}), address="http://b"), at(10))

        assert job.vma_address == "http://a"

    def test_a_workers_own_report_does_not_say_it(self) -> None:
        job = self.at_address("http://a")

        job.observe(msgspec.structs.replace(running(4.0, 10), source=WORKER), at(10))

        assert job.vma_address == "http://a"
