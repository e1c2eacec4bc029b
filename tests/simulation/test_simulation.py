"""Thousands of restarts on a virtual clock: the invariants hold, and every planted bug is found."""

import os
import subprocess
import sys

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.play import play

FOUND_BY = {
    "confirmation_is_skipped": 6,
    "confirmation_does_not_start_again_when_the_answer_changes": 56,
    "the_read_model_does_not_check_its_position": 0,
    "only_the_first_disk_is_asked_for": 8,
    "a_job_left_in_recovering_cannot_be_taken_up": 2,
    "unintelligible_counts_as_not_found": 4,
    "an_outcome_is_never_asked_about_again": 6,
    "an_observed_outcome_is_open_to_revision": 0,
    "a_full_disk_at_the_start_ends_the_service": 3,
    "lost_contact_requests_no_recovery": 16,
    "jobs_that_wait_for_a_retry_are_not_watched": 0,
    "a_restart_finds_no_job_that_was_recovering": 2,
    "a_vm_takes_a_second_job_beside_an_active_one": 3,
    "a_reply_about_another_job_is_believed": 6,
    "half_a_copy_that_calls_itself_completed_is_believed": 7,
    "a_job_that_could_not_be_stored_is_kept_as_if_it_were": 9,
    "the_previous_workers_document_is_believed": 5,
    "a_failed_jobs_worker_counts_as_the_next_jobs_worker": 108,
    "documents_at_registration_are_not_asked_for": 5,
    "documents_at_another_address_are_believed": 112,
    "our_own_absence_counts_as_silence": 56,
    "the_grace_is_not_waited_for": 4,
    "a_question_that_was_not_asked_counts_as_silence": 0,
    "an_id_without_an_answer_counts_as_an_unreachable_vma": 1,
    "another_vma_at_the_address_is_believed": 29,
    "a_vma_that_forgot_its_jobs_is_believed": 56,
    "an_outage_is_no_sign_that_a_vma_restarted": 64,
    "our_own_restart_forgets_an_outage": 64,
    "a_single_job_that_is_not_found_was_forgotten": 8,
    "a_job_that_its_vma_never_knew_is_called_lost": 0,
    "a_completion_for_fewer_disks_is_not_waited_for": 4,
    "the_jobs_own_id_is_not_asked_before_its_exports_complete_it": 12,
    "a_workers_own_report_is_no_contact": 138,
    "two_open_jobs_share_a_volume": 9,
    "a_guess_is_revised_by_an_answer_about_a_newer_job": 138,
    "the_volumes_of_earlier_lives_are_not_remembered": 9,
}
"""The first seed that finds each bug. If the simulation changes, these change, too: the long form finds them.

That they violate nothing without the bug is seen by `test_no_invariant_is_ever_broken`.
"""

VIOLATED_ONCE = [
    *(33, 47, 110, 171, 389, 403, 835, 957, 1043, 1854, 3233, 3304, 3894, 9073, 20018, 358, 3308, 4677),
    *(64, 177, 271, 53),
]
"""Seeds that found bugs, the last one a false alarm of the simulation: a machine that stood still during a start."""

MAX_SEEDS = 1500

SHARES = 4
"""Tests among which the seeds are divided, for as many processes."""


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.mark.parametrize("share", range(SHARES))
def test_no_invariant_is_ever_broken(share: int, *, is_long: bool) -> None:
    seeds = range(10_000) if is_long else sorted({*range(16), *FOUND_BY.values()})

    wrong = {seed: result.violation for seed in seeds[share::SHARES] if (result := play(seed)).violation}

    assert wrong == {}


@pytest.mark.parametrize("seed", VIOLATED_ONCE)
def test_a_seed_that_once_violated_an_invariant_does_not(seed: int) -> None:
    assert play(seed).violation is None


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found_by_its_seed(name: str, monkeypatch: pytest.MonkeyPatch, *, is_long: bool) -> None:
    seeds = range(MAX_SEEDS) if is_long else [FOUND_BY[name]]

    BUGS[name](monkeypatch)
    first = next((seed for seed in seeds if play(seed).violation), None)

    assert first == FOUND_BY[name]


def test_a_seed_runs_the_same_way_in_every_process() -> None:
    program = "from tests.simulation.play import play; print(play(7).digest)"
    digests = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert len(digests) == 1
    assert len(digests.pop().strip()) == 16
