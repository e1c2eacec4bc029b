"""The decision table, row by row, with both sides of every limit."""

from typing import Any

import msgspec
import pytest

from domain.evidence import Amnesia, Evidence
from domain.recovery_policy import Basis, Decision, Outcome, Policy, Rule, decide, is_confirmed
from domain.vma_status import VMAStatus
from tests.builders import at, document, evidence, observed

POLICY = Policy()
COMPLETED = document(VMAStatus.COMPLETED, 100.0)
FAILED = document(VMAStatus.FAILED, 40.0, error="disk full")
RUNNING = document(VMAStatus.RUNNING, 41.5)

GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)
GARBAGE = observed(VMAStatus.UNINTELLIGIBLE, own=VMAStatus.UNINTELLIGIBLE)

HELD: dict[str, Any] = {"held_for": 15.0, "probes": 3}


def decided(found: Evidence, policy: Policy = POLICY) -> Decision:
    decision = decide(found, policy)
    assert decision is not None
    return decision


def row(decision: Decision) -> tuple[Outcome, Rule, Basis | None]:
    return decision.outcome, decision.rule, decision.basis


def test_a_running_job_is_resumed() -> None:
    decision = decided(evidence(observed(RUNNING)))

    assert row(decision) == (Outcome.RESUME, Rule.STILL_RUNNING, Basis.OBSERVED)
    assert decision.reason == "the VMA says the job is running"


def test_a_job_whose_disks_are_all_completed_is_completed() -> None:
    decision = decided(evidence(observed(COMPLETED, COMPLETED)))

    assert row(decision) == (Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, Basis.OBSERVED)
    assert decision.reason == "the VMA says all 2 disk(s) are completed"


def test_a_failed_job_is_failed_with_the_vmas_words() -> None:
    decision = decided(evidence(observed(FAILED)))

    assert row(decision) == (Outcome.FAIL, Rule.FAILED_ON_VMA, Basis.OBSERVED)
    assert decision.reason == "the VMA says the job failed: disk full"


def test_a_failed_job_without_a_reason_says_so() -> None:
    decision = decided(evidence(observed(document(VMAStatus.FAILED))))

    assert decision.reason == "the VMA says the job failed: the VMA gave no reason"


class TestCompletedForFewerDisks:
    """A worker that shares one id for several disks says `completed` after the first."""

    SHARED = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=COMPLETED)

    def test_it_is_not_believed_at_once(self) -> None:
        assert decide(evidence(self.SHARED), POLICY) is None

    @pytest.mark.parametrize(("held_for", "probes"), [(14.9, 3), (15.0, 2), (100.0, 2), (14.9, 9)])
    def test_it_is_not_believed_before_it_held(self, held_for: float, probes: int) -> None:
        assert decide(evidence(self.SHARED, held_for=held_for, probes=probes), POLICY) is None

    def test_once_it_held_it_is_a_guess(self) -> None:
        decision = decided(evidence(self.SHARED, held_for=15.2, probes=3))

        assert row(decision) == (Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, Basis.INFERRED)
        assert decision.reason == (
            "the VMA says completed, which vouches for 1 of 2 disks; it has held for 15 s over 3 probes"
        )

    def test_silence_of_another_kind_does_not_confirm_it(self) -> None:
        held = evidence(self.SHARED, **HELD, silence_of=VMAStatus.NOT_FOUND)

        assert decide(held, POLICY) is None


class TestCompletedAgainstItsOwnFigures:
    """Half a copy that calls itself completed is nobody's word for anything."""

    def test_nothing_is_ever_concluded_from_it(self) -> None:
        half = observed(document(VMAStatus.COMPLETED, 41.5))

        for found in (evidence(half), evidence(half, held_for=9e9, probes=99, last_contact=-9e9)):
            decision = decided(found)
            assert row(decision) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)
            assert decision.reason == (
                "the VMA says completed, and 41.5 % beside it: nothing is concluded from that "
                "(migration-vol-v1: completed)"
            )

    def test_nor_from_one_such_disk_beside_finished_ones(self) -> None:
        beside = observed(COMPLETED, document(VMAStatus.COMPLETED, 41.5))

        assert decided(evidence(beside, **HELD)).outcome is Outcome.RETRY

    def test_near_its_end_it_is_a_guess_once_it_held(self) -> None:
        near = observed(document(VMAStatus.COMPLETED, 90.1))

        assert decide(evidence(near), POLICY) is None
        decision = decided(evidence(near, **HELD))
        assert row(decision) == (Outcome.COMPLETE, Rule.COMPLETED_WHILE_AWAY, Basis.INFERRED)
        assert decided(evidence(observed(document(VMAStatus.COMPLETED, 90.0)), **HELD)).outcome is Outcome.RETRY

    def test_how_near_is_the_policys_to_say(self) -> None:
        near = evidence(observed(document(VMAStatus.COMPLETED, 94.0)), **HELD)

        assert decided(near, Policy(complete_above_percent=95)).outcome is Outcome.RETRY


class TestNotFound:
    """One "not found" proves nothing: it must hold over the confirmation window."""

    @pytest.mark.parametrize(("held_for", "probes"), [(0.0, 1), (14.99, 3), (15.0, 2)])
    def test_nothing_is_inferred_before_it_held(self, held_for: float, probes: int) -> None:
        assert decide(evidence(GONE, held_for=held_for, probes=probes), POLICY) is None

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

    def test_a_disk_that_was_never_seen_beside_one_that_was_counts_as_nothing(self) -> None:
        half = observed(COMPLETED, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        assert decided(evidence(half, progress=100, disks=(100.0, None), **HELD)).rule is Rule.LOST

    def test_progress_under_a_shared_id_speaks_for_one_disk_only(self) -> None:
        both = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        assert decided(evidence(both, progress=99, speaks_for=1, **HELD)).rule is Rule.LOST
        assert decided(evidence(both, progress=99, speaks_for=2, **HELD)).rule is Rule.GONE_NEAR_END

    def test_a_list_of_more_disks_than_the_job_has_speaks_for_all_of_them(self) -> None:
        assert decided(evidence(GONE, progress=99, speaks_for=3, **HELD)).rule is Rule.GONE_NEAR_END

    def test_what_was_never_seen_stands_at_exactly_nothing(self) -> None:
        both = observed(VMAStatus.NOT_FOUND, VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)

        unseen = decided(evidence(both, progress=99, speaks_for=1, **HELD))
        half_seen = decided(evidence(both, progress=99, disks=(99.0, None), **HELD))

        for decision in (unseen, half_seen):
            assert decision.reason == "job lost on VMA: last seen at 0 %, not found for 15 s, not above 90 %"

    def test_a_job_that_was_never_seen_may_not_have_started(self) -> None:
        fresh = evidence(GONE, seen=False, registered=-300.0, progress=0)

        decision = decided(fresh)

        assert row(decision) == (Outcome.RETRY, Rule.NOT_STARTED_YET, None)
        assert decision.reason == (
            "never seen on the VMA, registered 300 s ago: a worker may take 300 s to its first report"
        )

    def test_after_the_start_up_grace_it_is_lost_like_any_other(self) -> None:
        late = evidence(GONE, seen=False, registered=-300.1, progress=0, **HELD)

        assert decided(late).rule is Rule.LOST

    def test_a_young_job_that_was_seen_has_started(self) -> None:
        assert decided(evidence(GONE, seen=True, registered=-20, **HELD)).rule is Rule.LOST


class TestAmnesia:
    """A VMA that does not know most of its jobs has forgotten them; they are not lost."""

    FORGOT = Amnesia(since=at(-60), not_found=180, asked=200)

    def test_a_forgotten_job_is_tried_again(self) -> None:
        decision = decided(evidence(GONE, amnesia=self.FORGOT))

        assert row(decision) == (Outcome.RETRY, Rule.VMA_AMNESIA, None)
        assert decision.reason == (
            "the VMA did not know 180 of the 200 jobs it was asked for: it has probably restarted and forgotten them"
        )

    def test_even_when_the_silence_is_confirmed(self) -> None:
        assert decided(evidence(GONE, amnesia=self.FORGOT, **HELD)).rule is Rule.VMA_AMNESIA

    def test_until_it_has_lasted_for_the_unreachable_timeout(self) -> None:
        lasting = evidence(GONE, now=1740.0, last_contact=-99, amnesia=self.FORGOT, **HELD)
        over = evidence(GONE, now=1740.1, last_contact=-99, amnesia=self.FORGOT, **HELD)

        assert decided(lasting).rule is Rule.VMA_AMNESIA
        assert decided(over).rule is Rule.LOST

    def test_a_job_that_has_not_started_is_not_forgotten(self) -> None:
        fresh = evidence(GONE, seen=False, registered=-10, amnesia=self.FORGOT)

        assert decided(fresh).rule is Rule.NOT_STARTED_YET

    def test_a_job_that_the_vma_knows_is_not_forgotten(self) -> None:
        assert decided(evidence(observed(RUNNING), amnesia=self.FORGOT)).rule is Rule.STILL_RUNNING


class TestSilence:
    """Unreachable and unintelligible are no word about the job."""

    def test_an_unreachable_vma_is_tried_again_while_contact_is_recent(self) -> None:
        decision = decided(evidence(DOWN, last_contact=-1800.0))

        assert row(decision) == (Outcome.RETRY, Rule.UNREACHABLE_RECENT, None)
        assert decision.reason == ("unreachable; last contact 1800 s ago (migration-vol-v1: unreachable)")

    def test_a_moment_ago_is_recent(self) -> None:
        assert decided(evidence(DOWN, last_contact=-1.0)).rule is Rule.UNREACHABLE_RECENT

    def test_after_the_timeout_it_must_still_be_confirmed(self) -> None:
        assert decide(evidence(DOWN, last_contact=-1800.1), POLICY) is None
        assert decide(evidence(DOWN, last_contact=-9999, held_for=14, probes=9), POLICY) is None

    def test_confirmed_after_the_timeout_the_job_is_failed_by_inference(self) -> None:
        decision = decided(evidence(DOWN, last_contact=-1800.1, **HELD))

        assert row(decision) == (Outcome.FAIL, Rule.UNREACHABLE_TOO_LONG, Basis.INFERRED)
        assert decision.reason == ("unreachable; last contact 1800 s ago (migration-vol-v1: unreachable)")

    def test_nonsense_is_tried_again_while_contact_is_recent(self) -> None:
        decision = decided(evidence(GARBAGE, last_contact=-1800.0))

        assert row(decision) == (Outcome.RETRY, Rule.UNINTELLIGIBLE, None)
        assert decision.reason.startswith("unintelligible; last contact 1800 s ago (migration-vol-v1")

    def test_nonsense_for_too_long_fails_the_job_by_inference_once_confirmed(self) -> None:
        assert decide(evidence(GARBAGE, last_contact=-1800.1), POLICY) is None

        decision = decided(evidence(GARBAGE, last_contact=-1800.1, **HELD))

        assert row(decision) == (Outcome.FAIL, Rule.UNINTELLIGIBLE, Basis.INFERRED)
        assert decision.reason.startswith("unintelligible; last contact 1800 s ago")


def test_every_number_of_the_table_is_the_policys() -> None:
    other = Policy(
        complete_above_percent=95,
        unreachable_timeout=60,
        startup_grace=10,
        confirmation_window=2,
        confirmation_probes=2,
    )
    held: dict[str, Any] = {"held_for": 2.0, "probes": 2}

    assert decided(evidence(GONE, progress=94, **held), other).rule is Rule.LOST
    assert decided(evidence(GONE, progress=96, **held), other).rule is Rule.GONE_NEAR_END
    assert decided(evidence(DOWN, last_contact=-61, **held), other).rule is Rule.UNREACHABLE_TOO_LONG
    assert decided(evidence(GONE, seen=False, registered=-11, **held), other).rule is Rule.LOST


def test_confirmation_needs_the_window_and_the_probes_and_the_same_answer() -> None:
    assert is_confirmed(evidence(GONE, held_for=15.0, probes=3), POLICY)
    assert is_confirmed(evidence(GONE, held_for=600.0, probes=40), POLICY)
    assert not is_confirmed(evidence(GONE, held_for=14.9, probes=3), POLICY)
    assert not is_confirmed(evidence(GONE, held_for=15.0, probes=2), POLICY)
    other = evidence(GONE, held_for=15.0, probes=3, silence_of=VMAStatus.UNREACHABLE)
    assert not is_confirmed(other, POLICY)


def test_the_published_defaults_are_the_defaults() -> None:
    assert msgspec.structs.asdict(Policy()) == {
        "complete_above_percent": 90.0,
        "unreachable_timeout": 1800.0,
        "startup_grace": 300.0,
        "confirmation_window": 15.0,
        "confirmation_probes": 3,
        "amnesia_share": 0.5,
        "amnesia_at_least": 10,
    }


def test_the_names_in_the_table_are_the_published_ones() -> None:
    assert [rule.value for rule in Rule] == [
        "still-running",
        "completed-while-away",
        "failed-on-vma",
        "not-started-yet",
        "vma-amnesia",
        "gone-near-end",
        "lost",
        "unreachable-recent",
        "unreachable-too-long",
        "unintelligible",
    ]
    assert [outcome.value for outcome in Outcome] == ["resume", "complete", "fail", "retry"]
    assert [basis.value for basis in Basis] == ["observed", "inferred"]


def test_the_policys_hash_tells_policies_apart_and_nothing_else() -> None:
    assert Policy().hash == Policy(complete_above_percent=90.0).hash
    assert Policy().hash != Policy(complete_above_percent=95.0).hash
    assert len(Policy().hash) == len("3796fcc01c9a")
    assert Policy().hash == "3796fcc01c9a"


def test_deciding_again_from_the_stored_evidence_gives_the_same() -> None:
    for found in (
        evidence(observed(RUNNING)),
        evidence(observed(COMPLETED)),
        evidence(GONE, progress=95, **HELD),
        evidence(GONE, amnesia=TestAmnesia.FORGOT),
        evidence(DOWN, last_contact=-9000, **HELD),
    ):
        again = msgspec.json.decode(msgspec.json.encode(found), type=Evidence)

        assert decide(again, POLICY) == decide(found, POLICY)
