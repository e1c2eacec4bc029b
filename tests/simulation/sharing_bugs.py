"""Bugs of the sharing that are planted on purpose: the simulation of several instances must find each of them."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.job_store import JobStore
from domain.ownership import Ownership
from domain.processes.supervisor import Supervisor
from projections.read_model import checkpoint
from tests.simulation.sharing import Server, SharedEventLog

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    """Have a bug planted under its own name."""
    BUGS[plant.__name__] = plant
    return plant


@bug
def a_former_owner_is_not_kept_from_storing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedEventLog, "check_owner", lambda *_: None)
    monkeypatch.setattr(JobStore, "_owned_share", lambda self, job: self._ownership.share_of(job.vma))


@bug
def a_share_is_given_to_two(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Server.claim
    monkeypatch.setattr(Server, "claim", lambda self, share, session: honest(self, share, session) or True)


@bug
def what_others_store_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedEventLog, "follow_now", lambda _: None)


@bug
def an_event_is_projected_by_each_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "move", lambda *_: True)


@bug
def the_jobs_of_a_lost_share_are_watched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "_drop_unowned", lambda _: None)
    monkeypatch.setattr(SharedEventLog, "check_owner", lambda *_: None)
    monkeypatch.setattr(JobStore, "_owned_share", lambda self, job: self._ownership.share_of(job.vma))


@bug
def what_is_taken_over_is_not_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Supervisor._take

    async def first_only(self: Any, shares: frozenset[str]) -> None:
        if self.restart_run is None:
            await honest(self, shares)

    monkeypatch.setattr(Supervisor, "_take", first_only)


@bug
def a_share_without_an_owner_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Ownership._free

    def never_owned(self: Any, survey: Any) -> Any:
        return [share for share in honest(self, survey) if share not in self._last_owner]

    monkeypatch.setattr(Ownership, "_free", never_owned)
