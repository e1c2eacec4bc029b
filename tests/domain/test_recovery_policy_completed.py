"""A completed that is in doubt is a guess, or none."""

import pytest

from domain.recovery_policy import Basis, Outcome, Policy, Rule
from domain.vma_status import Document, VMAStatus
from tests.domain.deciding import COMPLETED, decided, row
from tests.support.builders import document, evidence, observed


class TestCompletionInDoubt:
    """A worker that shares one id for several disks says `completed` after the first."""

    SHARED = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=COMPLETED)
    SAID = "(migration-vol-v1 and 1 more: not_found; job-20251003-140000-abc123: completed)"

    @pytest.mark.parametrize("duration", [0.0, 15.2, 299.9])
    def test_it_is_asked_about_again_until_it_has_held(self, duration: float) -> None:
        decision = decided(evidence(self.SHARED, duration=duration, probes=9))

        assert row(decision) == (Outcome.RETRY, Rule.COMPLETION_UNCONFIRMED, None)
        assert decision.reason == (
            f"VMA default reports completed, for 1 of 2 disks; unchanged for {duration:.0f} s over 9 probes {self.SAID}"
        )

    @pytest.mark.parametrize("duration", [300.0, 9e9])
    def test_once_it_has_held_over_the_completion_window_it_is_a_guess(self, duration: float) -> None:
        decision = decided(evidence(self.SHARED, duration=duration, probes=40))

        assert row(decision) == (Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, Basis.INFERRED)
        assert decision.reason == (
            "VMA default reports completed, for 1 of 2 disks; "
            f"unchanged for {duration:.0f} s over 40 probes {self.SAID}"
        )

    def test_so_is_one_that_may_be_the_previous_workers(self) -> None:
        maybe = observed(COMPLETED, own=VMAStatus.NOT_FOUND, unasked=frozenset({"v1"}))

        early, late = evidence(maybe, duration=299.9), evidence(maybe, duration=300.0)

        assert row(decided(early)) == (Outcome.RETRY, Rule.COMPLETION_UNCONFIRMED, None)
        assert row(decided(late)) == (Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, Basis.INFERRED)
        assert "reports completed, for 0 of 1 disks" in decided(late).reason

    @pytest.mark.parametrize("duration", [0.0, 300.0, 9e9])
    def test_of_a_vma_that_may_be_another_one_it_is_not_even_a_guess(self, duration: float) -> None:
        maybe = observed(COMPLETED, own=VMAStatus.NOT_FOUND, unasked=frozenset({"v1"}))

        replaced = evidence(maybe, duration=duration, probes=40, replaced=True)

        assert row(decided(replaced)) == (Outcome.RETRY, Rule.VMA_REPLACED, None)

    def test_how_long_it_must_hold_is_the_policys_to_say(self) -> None:
        held = evidence(self.SHARED, duration=60.0)

        assert decided(held, Policy(completion_window=60.0)).outcome is Outcome.COMPLETE
        assert decided(held, Policy(completion_window=60.1)).outcome is Outcome.RETRY


class TestCompletedAgainstItsOwnFigures:
    """A copy that calls itself completed, and shows that it is not, proves nothing."""

    def test_nothing_is_ever_concluded_from_it(self) -> None:
        half = observed(document(VMAStatus.COMPLETED, 41.5))

        for found in (evidence(half), evidence(half, duration=9e9, probes=99, last_contact=-9e9)):
            decision = decided(found)
            assert row(decision) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)
            assert decision.reason == (
                "VMA default says completed, and contradicts it with 41.5 %: nothing is concluded "
                "(migration-vol-v1: completed). Look at the worker, then decide by hand"
            )

    @pytest.mark.parametrize("percent", [0.0, 41.5, 90.1, 98.9])
    def test_at_no_percentage_below_ninety_nine(self, percent: float) -> None:
        near = evidence(observed(document(VMAStatus.COMPLETED, percent)), duration=9e9, probes=99)

        assert row(decided(near)) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)

    def test_from_ninety_nine_on_it_is_believed_at_once(self) -> None:
        assert decided(evidence(observed(document(VMAStatus.COMPLETED, 99.0)))).basis is Basis.OBSERVED

    def test_nor_from_a_hundred_percent_with_no_byte_of_many(self) -> None:
        empty = Document(
            status=VMAStatus.COMPLETED, progress_percent=100.0, bytes_transferred=0, total_bytes=42_949_672_960
        )

        decision = decided(evidence(observed(empty), duration=9e9, probes=99))

        assert row(decision) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)
        assert "contradicts it with 0 %" in decision.reason

    def test_an_incremental_sync_without_changes_is_completed_with_no_byte_of_none(self) -> None:
        assert decided(evidence(observed(document(VMAStatus.COMPLETED, 0.0, total=0)))).outcome is Outcome.COMPLETE

    def test_nor_from_one_such_disk_beside_finished_ones(self) -> None:
        beside = observed(COMPLETED, document(VMAStatus.COMPLETED, 41.5))

        assert row(decided(evidence(beside, duration=9e9))) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)
