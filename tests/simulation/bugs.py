"""Bugs that are planted on purpose: the simulation must find each of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from adapters.vma import dialects as vma_dialects
from adapters.vma.client import HttpVMA
from adapters.vma.documents import read_document
from domain import application, job_state, lifecycle, observing, recovery_policy, replication_job
from domain.application import JobRecovery
from domain.attribution import Attribution, InitialReadings, PreviousReading
from domain.errors import StorageUnavailable
from domain.evidence import Evidence
from domain.lifecycle import JobState
from domain.ports import ProbeTarget
from domain.processes import watch
from domain.processes.awake import AwakeTime
from domain.processes.contact import Contact
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.vma_memory import VMAMemory
from domain.recovery_policy import Policy
from domain.replication_job import ReplicationJob
from domain.run_book import RunBook
from domain.silences import Silences, _key
from domain.vm_context import VMContext
from domain.vma_status import Figures, VMAStatus
from domain.volumes import Volumes
from projections.read_model import checkpoint

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    """Have a bug planted under its own name."""
    BUGS[plant.__name__] = plant
    return plant


def _decide_with(monkeypatch: pytest.MonkeyPatch, **policy: float) -> None:
    honest = recovery_policy.decide

    def hasty(evidence: Evidence, given: Policy) -> Any:
        return honest(evidence, msgspec.structs.replace(given, **policy))

    monkeypatch.setattr(replication_job, "decide", hasty)


def _decide_as(monkeypatch: pytest.MonkeyPatch, status: VMAStatus, other: VMAStatus) -> None:
    honest = recovery_policy.decide

    def careless(evidence: Evidence, policy: Policy) -> Any:
        seen = evidence.observation
        if seen.status is status:
            seen = msgspec.structs.replace(seen, status=other)
        return honest(msgspec.structs.replace(evidence, observation=seen), policy)

    monkeypatch.setattr(replication_job, "decide", careless)


@bug
def confirmation_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_with(monkeypatch, confirmation_window=0.0, confirmation_probes=1)


@bug
def confirmation_does_not_start_again_when_the_answer_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Silences.record

    def forgetful(self: Any, job: Any, observation: Any) -> Any:
        self._entry(job).key = _key(observation)
        return honest(self, job, observation)

    monkeypatch.setattr(Silences, "record", forgetful)


@bug
def the_read_model_does_not_check_its_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "move", lambda *_: True)


@bug
def only_the_first_disk_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = HttpVMA.ask_exports

    async def first_only(self: Any, target: ProbeTarget) -> Any:
        return await honest(self, msgspec.structs.replace(target, volume_ids=target.volume_ids[:1]))

    monkeypatch.setattr(HttpVMA, "ask_exports", first_only)


@bug
def a_job_left_in_recovering_cannot_be_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(lifecycle.TRANSITIONS, (JobState.RECOVERING, "begin_recovery"))


@bug
def unintelligible_counts_as_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_as(monkeypatch, VMAStatus.UNINTELLIGIBLE, VMAStatus.NOT_FOUND)


@bug
def an_outcome_is_never_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_state.JobFields, "is_guess", False)


@bug
def an_observed_outcome_is_open_to_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = property(lambda self: not self.is_open and not self.contradicted)
    monkeypatch.setattr(job_state.JobFields, "is_guess", ended)


@bug
def a_full_disk_at_the_start_ends_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunBook, "_retry_until_stored", lambda _self, _what, _run_id, write: write())


@bug
def lost_contact_requests_no_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecoveryRequests, "request", lambda *_: None)


@bug
def jobs_that_wait_for_a_retry_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(watch.BY_STATE, JobState.PENDING_RETRY)
    monkeypatch.setitem(watch.BY_STATE, JobState.PENDING_RETRY, "nobody")


@bug
def a_restart_finds_no_job_that_was_recovering(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = JobRecovery.open_jobs

    async def some(self: Any, *shares: Any) -> Any:
        return [
            job_id
            for job_id in await honest(self, *shares)
            if (await self.job(job_id)).state is not JobState.RECOVERING
        ]

    monkeypatch.setattr(JobRecovery, "open_jobs", some)


@bug
def a_vm_takes_a_second_job_beside_an_active_one(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = VMContext.admit

    def welcoming(self: Any, *about: Any) -> None:
        self.active_job = None
        honest(self, *about)

    monkeypatch.setattr(VMContext, "check_free", lambda *_: None)
    monkeypatch.setattr(VMContext, "admit", welcoming)


@bug
def a_reply_about_another_job_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vma_dialects, "read_document", lambda _asked_id, body: read_document("", body))


@bug
def half_a_copy_that_calls_itself_completed_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Figures, "contradicting_progress", None)


@bug
def a_job_that_could_not_be_stored_is_kept_as_if_it_were(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = JobRecovery._save

    async def trusting(self: Any, job: Any, **how: Any) -> None:
        try:
            await honest(self, job, **how)
        except StorageUnavailable:
            job.pending.clear()
            self._cache(job)
            raise

    monkeypatch.setattr(JobRecovery, "_save", trusting)


@bug
def the_previous_workers_document_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "attribute", lambda *_said, **_how: Attribution.OWN)


@bug
def a_failed_jobs_worker_counts_as_the_next_jobs_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PreviousReading, "may_still_write", False)


@bug
def documents_at_registration_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "initial_readings", lambda *_, **_how: InitialReadings())


@bug
def documents_at_another_address_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ReplicationJob.target_at
    monkeypatch.setattr(ReplicationJob, "target_at", lambda self, _address: honest(self, self.vma_address))


@bug
def our_own_absence_counts_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwakeTime, "count_absences", lambda _: 0)


@bug
def the_grace_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_with(monkeypatch, unreachable_grace=0.0)


@bug
def a_question_that_was_not_asked_counts_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_as(monkeypatch, VMAStatus.NOT_ASKED, VMAStatus.UNREACHABLE)


@bug
def an_id_without_an_answer_counts_as_an_unreachable_vma(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_as(monkeypatch, VMAStatus.UNANSWERED, VMAStatus.UNREACHABLE)


@bug
def another_vma_at_the_address_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contact, "_is_replaced", lambda *_: False)


@bug
def a_vma_that_forgot_its_jobs_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contact, "_amnesia_for", lambda *_: None)


@bug
def an_outage_is_no_sign_that_a_vma_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VMAMemory, "mark_unreachable", lambda *_: None)


@bug
def our_own_restart_forgets_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Contact.restore

    def forgetful(self: Any, job: ReplicationJob) -> None:
        if job.decision is not None and job.decision.amnesia is not None:
            honest(self, job)

    monkeypatch.setattr(Contact, "restore", forgetful)


@bug
def a_single_job_that_is_not_found_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = VMAMemory.detect_amnesia

    def hasty(self: Any, job_id: str, policy: Policy, now: datetime) -> None:
        honest(self, job_id, msgspec.structs.replace(policy, amnesia_at_least=1, amnesia_share=0.0), now)

    monkeypatch.setattr(VMAMemory, "detect_amnesia", hasty)


@bug
def a_job_that_its_vma_never_knew_is_called_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = recovery_policy.decide

    def careless(evidence: Evidence, policy: Policy) -> Any:
        return honest(msgspec.structs.replace(evidence, seen_on_vma=True), policy)

    monkeypatch.setattr(replication_job, "decide", careless)


@bug
def a_completion_for_fewer_disks_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    _decide_with(monkeypatch, completion_window=0.0)


@bug
def the_jobs_own_id_is_not_asked_before_its_exports_complete_it(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = observing.needs_own_id

    def satisfied(target: ProbeTarget, exports: Any) -> bool:
        done = {answer.status for answer in exports.values()} == {VMAStatus.COMPLETED}
        return not done and honest(target, exports)

    monkeypatch.setattr(observing, "needs_own_id", satisfied)


@bug
def a_workers_own_report_is_no_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contact, "_fresh_report", lambda *_: None)


@bug
def two_open_jobs_share_a_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> dict[str, ReplicationJob]:
        return {}

    monkeypatch.setattr(JobRecovery, "_earlier_jobs", nothing)


@bug
def a_guess_is_revised_by_an_answer_about_a_newer_job(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: Any) -> dict[str, str]:
        return {}

    monkeypatch.setattr(Volumes, "newer_jobs_than", none)


@bug
def the_volumes_of_earlier_lives_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_self: Any) -> dict[tuple[str, str], str]:
        return {}

    monkeypatch.setattr(Volumes, "_read", nothing)
