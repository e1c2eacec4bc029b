"""A job that the VMA does not know is lost only when that is certain."""

import pytest

from domain.attribution import PreviousReading
from domain.recovery_policy import Basis, Outcome, Rule, decide
from domain.vma_status import Document, Observation, VMAStatus
from tests.domain.deciding import COMPLETED, GONE, HELD, POLICY, decided, row
from tests.support.builders import evidence, observed


class TestNotFound:
    """One "not found" proves nothing: it must hold over the confirmation window."""

    @pytest.mark.parametrize(("duration", "probes"), [(0.0, 1), (14.99, 3), (15.0, 2)])
    def test_nothing_is_inferred_before_it_held(self, duration: float, probes: int) -> None:
        assert decide(evidence(GONE, duration=duration, probes=probes), POLICY) is None

    def test_above_the_limit_it_is_probably_completed(self) -> None:
        decision = decided(evidence(GONE, progress=90.1, **HELD))

        assert row(decision) == (Outcome.COMPLETE, Rule.GONE_NEAR_END, Basis.INFERRED)
        assert decision.reason == "probably finished: last seen at 90.1 %, not found for 15 s, above 90 %"

    def test_at_the_limit_it_is_lost(self) -> None:
        decision = decided(evidence(GONE, progress=90.0, **HELD))

        assert row(decision) == (Outcome.FAIL, Rule.LOST, Basis.INFERRED)
        assert decision.reason == ("job lost on VMA: last seen at 90 %, not found for 15 s, not above 90 %")

    def test_the_least_favourable_disk_counts(self) -> None:
        both = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        assert decided(evidence(both, progress=97, disks=(99.0, 95.0), **HELD)).rule is Rule.GONE_NEAR_END
        assert decided(evidence(both, progress=97, disks=(100.0, 20.0), **HELD)).rule is Rule.LOST

    def test_a_disk_whose_progress_was_never_seen_beside_one_that_was_counts_as_nothing(self) -> None:
        lost = VMAStatus.NOT_FOUND
        half = observed(COMPLETED, lost, own=lost, seen_volumes=frozenset({"v2"}))

        assert decided(evidence(half, progress=100, disks=(100.0, None), **HELD)).rule is Rule.LOST

    def test_progress_under_a_shared_id_speaks_for_one_disk_only(self) -> None:
        both = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        assert decided(evidence(both, progress=99, progress_covers=1, **HELD)).rule is Rule.LOST
        assert decided(evidence(both, progress=99, progress_covers=2, **HELD)).rule is Rule.GONE_NEAR_END

    def test_a_list_of_more_disks_than_the_job_has_speaks_for_all_of_them(self) -> None:
        assert decided(evidence(GONE, progress=99, progress_covers=3, **HELD)).rule is Rule.GONE_NEAR_END

    def test_what_was_never_seen_stands_at_exactly_nothing(self) -> None:
        both = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        unseen = decided(evidence(both, progress=99, progress_covers=1, **HELD))
        half_seen = decided(evidence(both, progress=99, disks=(99.0, None), **HELD))

        for decision in (unseen, half_seen):
            assert decision.reason == "job lost on VMA: last seen at 0 %, not found for 15 s, not above 90 %"

    def test_a_young_job_that_was_seen_has_started(self) -> None:
        assert decided(evidence(GONE, seen=True, registered=-20, **HELD)).rule is Rule.LOST


class TestNotStartedYet:
    """A worker may take some minutes to its first report; they are counted from our first question."""

    LEFT = PreviousReading(volume_id="v1", status=VMAStatus.COMPLETED, progress_percent=100.0)
    PREVIOUS = observed(
        Document(status=VMAStatus.COMPLETED, progress_percent=100.0), own=VMAStatus.NOT_FOUND, previous_readings=(LEFT,)
    )

    @pytest.mark.parametrize("found", [GONE, PREVIOUS])
    @pytest.mark.parametrize("duration", [0.0, 300.0])
    def test_a_job_that_was_never_seen_may_not_have_started(self, found: Observation, duration: float) -> None:
        fresh = evidence(found, seen=False, registered=-9e6, progress=0, duration=duration, probes=99)

        decision = decided(fresh)

        assert row(decision) == (Outcome.RETRY, Rule.NOT_STARTED_YET, None)
        assert decision.reason == (
            f"no report from the job's worker for {duration:.0f} s: it may take 300 s to its first report"
        )

    def test_our_own_absence_after_the_registration_does_not_count(self) -> None:
        """Registered an hour ago, and asked about since ten seconds."""
        away = evidence(GONE, seen=False, registered=-3600.0, last_contact=-3600.0, progress=0, duration=10.0, probes=9)

        assert decided(away).rule is Rule.NOT_STARTED_YET

    def test_while_the_previous_workers_document_stands_it_is_never_lost(self) -> None:
        late = evidence(self.PREVIOUS, seen=False, progress=0, duration=300.1, probes=99)

        assert row(decided(late)) == (Outcome.RETRY, Rule.UNANSWERED, None)

    def test_a_job_that_was_seen_has_started_whatever_stands_there_now(self) -> None:
        assert decided(evidence(self.PREVIOUS, seen=True)).rule is Rule.UNANSWERED

    def test_a_vma_that_gives_no_answer_may_know_the_job(self) -> None:
        hanging = observed(VMAStatus.UNANSWERED, own=VMAStatus.UNANSWERED)

        assert decided(evidence(hanging, seen=False)).rule is Rule.UNANSWERED

    @pytest.mark.parametrize("status", [VMAStatus.UNREACHABLE, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_ASKED])
    def test_nor_is_anything_else_a_late_start(self, status: VMAStatus) -> None:
        assert decided(evidence(observed(status, own=status), seen=False)).rule is not Rule.NOT_STARTED_YET
