"""Bugs planted on purpose, each of a kind that somebody could write: the simulation must find every one of them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adapters import vma_client, vma_dialects
from adapters.vma_client import HttpVMA
from adapters.vma_documents import read_document
from domain import job_state, lifecycle, recovery_policy, replication_job
from domain.application import JobRecovery
from domain.errors import StorageUnavailable
from domain.evidence import Evidence
from domain.lifecycle import JobState
from domain.ports import ProbeTarget
from domain.processes.recovery import Recovery
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.watch import Watch
from domain.recovery_policy import Policy
from domain.silences import Silences
from domain.vm_context import VMContext
from domain.vma_status import DiskReading, Figures, VMAStatus
from domain.volumes import Volumes
from projections.projector import Projector
from projections.queries import Queries

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    """Have a bug planted under its own name."""
    BUGS[plant.__name__] = plant
    return plant


@bug
def confirmation_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = recovery_policy.decide

    def hasty(evidence: Evidence, policy: Policy) -> Any:
        return honest(evidence, msgspec.structs.replace(policy, confirmation_window=0.0, confirmation_probes=1))

    monkeypatch.setattr(replication_job, "decide", hasty)


@bug
def confirmation_does_not_start_again_when_the_answer_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Silences.heard

    def forgetful(self: Any, job: Any, observation: Any) -> Any:
        self._entry(job).key = (observation.status, observation.doubtful)
        return honest(self, job, observation)

    monkeypatch.setattr(Silences, "heard", forgetful)


@bug
def the_read_model_does_not_check_its_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Projector, "_move_position", lambda *_: None)


@bug
def only_the_first_disk_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = HttpVMA.probe

    async def first_only(self: Any, target: ProbeTarget) -> Any:
        return await honest(self, msgspec.structs.replace(target, volume_ids=target.volume_ids[:1]))

    monkeypatch.setattr(HttpVMA, "probe", first_only)


@bug
def a_job_left_in_recovering_cannot_be_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(lifecycle.TRANSITIONS, (JobState.RECOVERING, "begin_recovery"))


@bug
def unintelligible_counts_as_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = recovery_policy.decide

    def careless(evidence: Evidence, policy: Policy) -> Any:
        seen = evidence.observation
        if seen.status is VMAStatus.UNINTELLIGIBLE:
            seen = msgspec.structs.replace(seen, status=VMAStatus.NOT_FOUND)
        return honest(msgspec.structs.replace(evidence, observation=seen), policy)

    monkeypatch.setattr(replication_job, "decide", careless)


@bug
def an_outcome_is_never_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_state.JobFields, "is_guess", False)


@bug
def an_observed_outcome_is_open_to_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = property(lambda self: not self.is_open and not self.contradicted)
    monkeypatch.setattr(job_state.JobFields, "is_guess", ended)


@bug
def a_full_disk_at_the_start_ends_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recovery, "_insist", lambda _self, _trouble, _run_id, write: write())


@bug
def lost_contact_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecoveryRequests, "request", lambda *_: None)


@bug
def jobs_that_wait_for_a_retry_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Watch._watcher_of

    def blind(self: Any, job: Any) -> Any:
        return None if job.state is JobState.PENDING_RETRY else honest(self, job)

    monkeypatch.setattr(Watch, "_watcher_of", blind)


@bug
def a_restart_finds_no_job_that_was_recovering(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Queries.open_jobs

    async def some(self: Any) -> Any:
        return [job_id for job_id in await honest(self) if (await self.job(job_id)).state is not JobState.RECOVERING]

    monkeypatch.setattr(Queries, "open_jobs", some)


@bug
def a_run_lets_go_of_jobs_that_another_run_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recovery, "_let_go", lambda self, job_id, _run_id: self.held.pop(job_id, None))


@bug
def a_vm_takes_a_second_job_beside_an_active_one(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = VMContext.admit

    def welcoming(self: Any, *about: Any) -> None:
        self.active_job = None
        honest(self, *about)

    monkeypatch.setattr(VMContext, "admit", welcoming)


@bug
def a_reply_about_another_job_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vma_dialects, "read_document", lambda _asked_id, body: read_document("", body))


@bug
def half_a_copy_that_calls_itself_completed_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Figures, "belied_at", None)


@bug
def a_job_that_could_not_be_stored_is_kept_as_if_it_were(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = JobRecovery._save

    async def trusting(self: Any, job: Any, **how: Any) -> None:
        try:
            await honest(self, job, **how)
        except StorageUnavailable:
            job.pending.clear()
            self._keep(job)
            raise

    monkeypatch.setattr(JobRecovery, "_save", trusting)


@bug
def how_the_job_before_ended_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vma_client, "without_left_over", lambda answer, _left: answer)


@bug
def what_the_worker_of_the_job_before_came_to_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiskReading, "_has_start_of", lambda *_: False)


@bug
def a_guess_takes_the_word_about_a_newer_job_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: Any) -> None:
        return None

    monkeypatch.setattr(Volumes, "newer_job_than", none)


@bug
def the_volumes_of_earlier_lives_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_self: Any) -> dict[tuple[str, str], str]:
        return {}

    monkeypatch.setattr(Volumes, "_read", nothing)
