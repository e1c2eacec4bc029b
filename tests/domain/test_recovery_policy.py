"""The decision table, row by row, with both sides of every limit."""

from typing import Any, ClassVar

import msgspec
import pytest

from domain.evidence import Amnesia, Evidence
from domain.recovery_policy import Basis, Outcome, Policy, Rule, decide, is_confirmed
from domain.vma_status import VMAStatus
from tests.domain.deciding import COMPLETED, DOWN, FAILED, GONE, HELD, POLICY, RUNNING, decided, row
from tests.support.builders import at, document, evidence, observed


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


class TestNeverSeen:
    """Nothing is concluded of a job that its VMA never knew: its worker may not have been started."""

    @pytest.mark.parametrize("duration", [300.1, 9e9])
    @pytest.mark.parametrize("percent", [0.0, 99.0])
    def test_it_is_asked_about_for_ever(self, duration: float, percent: float) -> None:
        decision = decided(evidence(GONE, seen=False, progress=percent, duration=duration, probes=99))

        assert row(decision) == (Outcome.RETRY, Rule.NEVER_SEEN, None)
        assert decision.reason == (
            f"VMA default has never known this job, and does not for {duration:.0f} s: "
            "its worker may not have started. Start it, or decide by hand"
        )

    def test_what_the_vma_has_forgotten_or_where_it_is_makes_no_difference(self) -> None:
        late: dict[str, Any] = {"seen": False, "duration": 300.1, "probes": 99}

        assert decided(evidence(GONE, amnesia=TestAmnesia.FORGOT, **late)).rule is Rule.NEVER_SEEN
        assert decided(evidence(GONE, replaced=True, **late)).rule is Rule.NEVER_SEEN

    def test_a_vma_that_is_unreachable_for_good_fails_it_like_any_other(self) -> None:
        found = evidence(DOWN, seen=False, **TestUnreachable.LONG)

        assert decided(found).rule is Rule.UNREACHABLE_TOO_LONG


class TestReplaced:
    """The address has changed since the VMA knew the job, and it knows none of our jobs."""

    def test_what_another_vma_does_not_know_is_not_lost(self) -> None:
        for found in (evidence(GONE, replaced=True), evidence(GONE, replaced=True, duration=9e9, probes=99)):
            decision = decided(found)
            assert row(decision) == (Outcome.RETRY, Rule.VMA_REPLACED, None)
            assert decision.reason == (
                "VMA default is asked at another address than when it knew this job, and knows none of our jobs there. "
                "Correct its address in the settings; if it is the same VMA, decide by hand"
            )

    def test_nor_is_it_completed_near_its_end(self) -> None:
        assert decided(evidence(GONE, replaced=True, progress=99.0, **HELD)).outcome is Outcome.RETRY

    def test_an_address_at_which_nobody_answers_fails_no_job(self) -> None:
        found = evidence(DOWN, replaced=True, last_contact=-9e9, duration=9e9, probes=99)

        assert row(decided(found)) == (Outcome.RETRY, Rule.UNREACHABLE_RECENT, None)

    def test_what_it_states_of_the_job_counts(self) -> None:
        assert decided(evidence(observed(FAILED), replaced=True)).rule is Rule.FAILED_ON_VMA
        assert decided(evidence(observed(COMPLETED), replaced=True)).rule is Rule.COMPLETED_WHILE_AWAY

    def test_a_job_that_never_began_may_not_have_started_there_either(self) -> None:
        assert decided(evidence(GONE, seen=False, replaced=True)).rule is Rule.NOT_STARTED_YET

    def test_it_outweighs_that_the_vma_has_forgotten_its_jobs(self) -> None:
        assert decided(evidence(GONE, replaced=True, amnesia=TestAmnesia.FORGOT)).rule is Rule.VMA_REPLACED


class TestAmnesia:
    """A VMA that does not know most of its jobs has forgotten them; they are not lost."""

    FORGOT = Amnesia(since=at(-60), not_found=180, asked=200)

    def test_a_forgotten_job_is_tried_again(self) -> None:
        decision = decided(evidence(GONE, amnesia=self.FORGOT))

        assert row(decision) == (Outcome.RETRY, Rule.VMA_AMNESIA, None)
        assert decision.reason == (
            "the VMA did not know 180 of 200 jobs, at least for a time: it has probably restarted and forgotten them. "
            "If this job's worker does not report again, look at it, then decide by hand"
        )

    def test_even_when_the_silence_is_confirmed(self) -> None:
        assert decided(evidence(GONE, amnesia=self.FORGOT, **HELD)).rule is Rule.VMA_AMNESIA

    @pytest.mark.parametrize(("duration", "rule"), [(1800.0, Rule.VMA_AMNESIA), (1800.1, Rule.LOST)])
    def test_until_we_have_asked_in_vain_for_the_unreachable_timeout(self, duration: float, rule: Rule) -> None:
        assert decided(evidence(GONE, amnesia=self.FORGOT, duration=duration, probes=9)).rule is rule

    @pytest.mark.parametrize("duration", [1800.0, 1800.1, 9e6])
    def test_one_above_the_limit_is_never_inferred(self, duration: float) -> None:
        """A VMA that has forgotten everything is no evidence that a worker finished: it may have died with the VMA."""
        near_end = evidence(GONE, amnesia=self.FORGOT, progress=90.1, duration=duration, probes=9)

        assert row(decided(near_end)) == (Outcome.RETRY, Rule.VMA_AMNESIA, None)

    def test_at_the_limit_it_is_lost(self) -> None:
        at_limit = evidence(GONE, amnesia=self.FORGOT, progress=90.0, duration=1800.1, probes=9)

        assert decided(at_limit).rule is Rule.LOST

    def test_however_long_ago_it_began_by_the_clock(self) -> None:
        """We were away for a day, or the clock was set on."""
        assert decided(evidence(GONE, now=86_400.0, amnesia=self.FORGOT, **HELD)).rule is Rule.VMA_AMNESIA

    def test_a_job_that_has_not_started_is_not_forgotten(self) -> None:
        fresh = evidence(GONE, seen=False, registered=-10, amnesia=self.FORGOT)

        assert decided(fresh).rule is Rule.NOT_STARTED_YET

    def test_a_job_that_the_vma_knows_is_not_forgotten(self) -> None:
        assert decided(evidence(observed(RUNNING), amnesia=self.FORGOT)).rule is Rule.STILL_RUNNING


class TestUnreachable:
    """The VMA as a whole does not answer."""

    LONG: ClassVar[dict[str, Any]] = {"last_contact": -1800.1, "duration": 300.0}

    def test_it_is_tried_again_while_contact_is_recent(self) -> None:
        decision = decided(evidence(DOWN, last_contact=-1800.0, duration=9e9, probes=99))

        assert row(decision) == (Outcome.RETRY, Rule.UNREACHABLE_RECENT, None)
        assert decision.reason == (
            "VMA default is unreachable: last contact 1800 s ago, no answer for 9000000000 of 300 s "
            "(migration-vol-v1: unreachable). Check its tunnel and its address"
        )

    def test_a_moment_ago_is_recent(self) -> None:
        assert decided(evidence(DOWN, last_contact=-1.0)).rule is Rule.UNREACHABLE_RECENT

    @pytest.mark.parametrize("duration", [0.0, 299.9])
    def test_it_is_tried_again_until_we_have_asked_in_vain_for_the_grace(self, duration: float) -> None:
        """We were away for longer than the timeout: that was our silence."""
        away = evidence(DOWN, last_contact=-90_000.0, duration=duration, probes=99)

        decision = decided(away)

        assert row(decision) == (Outcome.RETRY, Rule.UNREACHABLE_RECENT, None)
        assert f"last contact 90000 s ago, no answer for {duration:.0f} of 300 s" in decision.reason

    def test_after_both_the_job_is_failed_by_inference(self) -> None:
        decision = decided(evidence(DOWN, **self.LONG))

        assert row(decision) == (Outcome.FAIL, Rule.UNREACHABLE_TOO_LONG, Basis.INFERRED)
        assert decision.reason == (
            "VMA default is unreachable: last contact 1800 s ago, no answer for 300 of 300 s "
            "(migration-vol-v1: unreachable). Check its tunnel and its address"
        )

    def test_at_an_address_that_never_answered_it_may_not_be_the_vma_that_does_not_answer(self) -> None:
        elsewhere = msgspec.structs.replace(evidence(DOWN, last_contact=-9e9, duration=9e9), reached=False)

        assert row(decided(elsewhere)) == (Outcome.RETRY, Rule.UNREACHABLE_RECENT, None)

    @pytest.mark.parametrize("duration", [300.1, 9e9])
    def test_so_it_is_however_long_we_have_asked_in_vain(self, duration: float) -> None:
        found = evidence(DOWN, last_contact=-9e9, duration=duration, probes=99)

        assert decided(found).rule is Rule.UNREACHABLE_TOO_LONG

    def test_the_times_of_the_log_do_not_count_where_the_contact_was_measured(self) -> None:
        """The clock was set on by a day."""
        found = msgspec.structs.replace(evidence(DOWN, **self.LONG), contact_age=10.0)
        assert decided(found).rule is Rule.UNREACHABLE_RECENT

        recorded_earlier = msgspec.structs.replace(evidence(DOWN, **self.LONG), contact_age=None)
        assert decided(recorded_earlier).rule is Rule.UNREACHABLE_TOO_LONG


class TestNotKnowing:
    """The VMA is there, and nothing is known of the job: it is asked about for ever."""

    @pytest.mark.parametrize(
        ("status", "rule", "what", "remedy"),
        [
            (VMAStatus.UNANSWERED, Rule.UNANSWERED, "gave no answer about this job", "If this lasts, look at"),
            (VMAStatus.UNINTELLIGIBLE, Rule.UNINTELLIGIBLE, "gave an answer that cannot be read", "Look at what"),
            (VMAStatus.NOT_ASKED, Rule.NOT_ASKED, "could not be asked", "Correct that: the job then resumes"),
        ],
    )
    @pytest.mark.parametrize("seconds", [0.0, 9e9])
    @pytest.mark.parametrize("percent", [5.0, 99.0])
    def test_nothing_is_ever_concluded_from_it_and_the_reason_says_what_to_do(
        self, status: VMAStatus, rule: Rule, what: str, remedy: str, seconds: float, percent: float
    ) -> None:
        found = observed(status)

        decision = decided(evidence(found, last_contact=-seconds, duration=seconds, probes=99, progress=percent))

        assert row(decision) == (Outcome.RETRY, rule, None)
        assert decision.reason.startswith(f"VMA default {what} (migration-vol-v1: {status.value}). {remedy}")


def test_every_number_of_the_table_is_the_policys() -> None:
    other = Policy(
        complete_above_percent=95,
        unreachable_timeout=60,
        unreachable_grace=2,
        startup_grace=10,
        confirmation_window=2,
        confirmation_probes=2,
    )
    held: dict[str, Any] = {"duration": 2.0, "probes": 2}

    assert decided(evidence(GONE, progress=94, **held), other).rule is Rule.LOST
    assert decided(evidence(GONE, progress=96, **held), other).rule is Rule.GONE_NEAR_END
    assert decided(evidence(DOWN, last_contact=-61, **held), other).rule is Rule.UNREACHABLE_TOO_LONG
    assert decided(evidence(DOWN, last_contact=-60, **held), other).rule is Rule.UNREACHABLE_RECENT
    assert decided(evidence(GONE, seen=False, duration=10.0, probes=2), other).rule is Rule.NOT_STARTED_YET
    assert decided(evidence(GONE, seen=False, duration=10.1, probes=2), other).rule is Rule.NEVER_SEEN
    forgot = TestAmnesia.FORGOT
    assert decided(evidence(GONE, amnesia=forgot, duration=60.0, probes=2), other).rule is Rule.VMA_AMNESIA
    assert decided(evidence(GONE, amnesia=forgot, duration=60.1, probes=2), other).rule is Rule.LOST


def test_confirmation_needs_the_window_and_the_probes() -> None:
    assert is_confirmed(evidence(GONE, duration=15.0, probes=3), POLICY)
    assert is_confirmed(evidence(GONE, duration=600.0, probes=40), POLICY)
    assert not is_confirmed(evidence(GONE, duration=14.9, probes=3), POLICY)
    assert not is_confirmed(evidence(GONE, duration=15.0, probes=2), POLICY)


@pytest.mark.parametrize(("window", "probes", "spacing"), [(15.0, 3, 7.52), (15.0, 2, 15.02), (8.0, 1, 8.02)])
def test_the_last_probe_falls_just_after_the_window(window: float, probes: int, spacing: float) -> None:
    policy = Policy(confirmation_window=window, confirmation_probes=probes)

    assert policy.spacing == pytest.approx(spacing)


def test_without_any_probes_wanted_they_are_as_far_apart_as_the_window() -> None:
    assert Policy(confirmation_window=8.0, confirmation_probes=0).spacing == pytest.approx(8.02)


def test_the_published_defaults_are_the_defaults() -> None:
    assert msgspec.structs.asdict(Policy()) == {
        "complete_above_percent": 90.0,
        "unreachable_timeout": 1800.0,
        "unreachable_grace": 300.0,
        "startup_grace": 300.0,
        "confirmation_window": 15.0,
        "confirmation_probes": 3,
        "completion_window": 300.0,
        "amnesia_share": 0.5,
        "amnesia_at_least": 3,
        "attention_after": 300.0,
    }


def test_the_names_in_the_table_are_the_published_ones() -> None:
    assert [rule.value for rule in Rule] == [
        "still-running",
        "completed-while-away",
        "completion-unconfirmed",
        "failed-on-vma",
        "not-started-yet",
        "never-seen",
        "vma-replaced",
        "vma-amnesia",
        "gone-near-end",
        "lost",
        "unreachable-recent",
        "unreachable-too-long",
        "unanswered",
        "unintelligible",
        "not-asked",
    ]
    assert [outcome.value for outcome in Outcome] == ["resume", "complete", "fail", "retry"]
    assert [basis.value for basis in Basis] == ["observed", "inferred"]


def test_the_policys_hash_tells_policies_apart_and_nothing_else() -> None:
    assert Policy().hash == Policy(complete_above_percent=90.0).hash
    assert Policy().hash != Policy(complete_above_percent=95.0).hash
    assert len(Policy().hash) == len("80a48b7dda83")
    assert Policy().hash == "80a48b7dda83"


def test_evidence_of_an_earlier_version_knows_of_no_replaced_vma_and_of_no_long_silence() -> None:
    stored = msgspec.to_builtins(evidence(GONE, **HELD))
    del stored["replaced"], stored["reached"], stored["contact_age"], stored["silence"]["unheard_for"]

    earlier = msgspec.convert(stored, Evidence)

    assert (earlier.replaced, earlier.reached, earlier.silence.inconclusive_for) == (False, True, 0.0)
    assert decided(earlier).rule is Rule.LOST


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
