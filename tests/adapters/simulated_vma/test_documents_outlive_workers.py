"""A document is valid until the next worker of its id writes, even if its own worker has ended."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from adapters.simulated_vma.spec import GIB
from adapters.simulated_vma.vocabulary import truth_of_status
from adapters.simulated_vma.world import World
from tests.adapters.simulated_vma.documents import EXPORT, document_of, percent, stated, without_updates
from tests.support.clock import FakeClock

Verb = Callable[[str], None]
REPORTS = ["exports", "job_id", "both", "shared_job_id", "shared_export", "first_export"]
ON_EXPORTS = ["exports", "both", "shared_export", "first_export"]


class TestTheDocumentOfADeadWorker:
    """A worker was killed and wrote no final document."""

    def test_it_stays_unchanged(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=100)
        world.add_job("job-2", ["b"], duration=100)
        clock.advance(40)
        world.kill("job-1")
        before = document_of(world)

        clock.advance(30)
        world.resume("job-1")

        assert without_updates(document_of(world)) == without_updates(before)
        assert percent(world) == 40.0
        assert percent(world, "migration-vol-b") == 70.0, "the other job continues"
        assert (world.truth("job-1"), world.truth("job-2")) == ("gone", "running")

    def test_a_restart_of_the_vma_deletes_it(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=100)
        world.kill("job-1")

        world.restart(reannounce=2.0)

        clock.advance(10)
        assert world.progress_of(EXPORT) is None

    def test_a_worker_killed_before_it_announces_itself_again_writes_none(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=100)
        world.restart(reannounce=(5.0, 5.0))
        world.kill("job-1")

        clock.advance(10)

        assert world.progress_of(EXPORT) is None

    def test_a_worker_killed_before_its_start_never_writes_one(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], starts_in=5)
        world.kill("job-1")

        clock.advance(10)

        assert (world.progress_of(EXPORT), world.truth("job-1")) == (None, "gone")

    def test_killing_a_worker_that_has_completed_changes_nothing(self, world: World) -> None:
        world.add_job("job-1", ["a"])
        world.finish("job-1")

        world.kill("job-1")

        assert world.truth("job-1") == "completed"

    def test_removing_the_worker_deletes_it(self, world: World) -> None:
        world.add_job("job-1", ["a"])

        world.remove("job-1")

        assert world.progress_of(EXPORT) is None


class TestADocumentOfAnUnknownWorker:
    """Documents that no job of this world has written."""

    def test_it_is_valid_until_a_worker_of_that_id_starts(self, world: World, clock: FakeClock) -> None:
        world.set_document(EXPORT, {"job_id": EXPORT, "status": "completed", "percentage": 100.0})
        world.add_job("job-1", ["a"], starts_in=5, duration=100)
        clock.advance(4)
        assert stated(world).status == "completed"

        clock.advance(2)

        assert percent(world) == 1.0

    def test_it_is_replaced_if_the_worker_starts_at_the_same_moment(self, world: World) -> None:
        world.set_document(EXPORT, {"job_id": EXPORT, "status": "completed", "percentage": 100.0})

        world.add_job("job-1", ["a"])

        assert stated(world).percent == 0.0

    def test_it_replaces_the_document_of_a_worker_that_has_started_already(
        self, world: World, clock: FakeClock
    ) -> None:
        world.add_job("job-1", ["a"])
        clock.advance(1)

        world.set_document(EXPORT, {"status": "completed"})

        clock.advance(1)
        assert document_of(world) == {"status": "completed"}

    def test_a_restart_of_the_vma_forgets_it(self, world: World) -> None:
        world.set_document(EXPORT, {"status": "completed"})
        world.restart()

        assert world.progress_of(EXPORT) is None

    def test_forgetting_one_job_deletes_the_documents_of_its_ids_only(self, world: World) -> None:
        world.add_job("job-1", ["a"])
        world.set_document(EXPORT, {"status": "completed"})
        world.set_document("migration-vol-b", {"status": "completed"})

        world.forget("job-1", math.inf)

        assert world.progress_of(EXPORT) is None
        assert stated(world, "migration-vol-b").status == "completed"


def end(world: World, job_id: str, how: str) -> None:
    """Have a job finish, fail, or be killed."""
    verbs: dict[str, Verb] = {"finish": world.finish, "fail": world.fail, "kill": world.kill}
    verbs[how](job_id)


class TestSeveralJobsInTurnOnAVolume:
    """Jobs one after another, for every way to report and to end."""

    @pytest.mark.parametrize("reports", REPORTS)
    def test_each_document_is_valid_until_the_next_worker_starts(
        self, world: World, clock: FakeClock, reports: str
    ) -> None:
        seen = []
        for n, how in enumerate(["finish", "fail", "kill"]):
            name = f"job-{n}"
            shown_as = EXPORT if reports in ON_EXPORTS else name
            world.add_job(name, ["a", "b"], reports=reports, duration=100, starts_in=5, wording="plain")
            clock.advance(4)
            before = world.progress_of(shown_as)
            clock.advance(11)
            copying = percent(world, shown_as)
            end(world, name, how)
            seen.append((before["status"] if before else None, copying, stated(world, shown_as).status))
            clock.advance(10)

        previous = ["completed", "failed"] if reports in ON_EXPORTS else [None, None]
        assert seen == [
            (None, 10.0, "completed"),
            (previous[0], 10.0, "failed"),
            (previous[1], 10.0, "in_progress"),
        ]

    def test_the_worker_that_started_last_has_written_last(self, world: World, clock: FakeClock) -> None:
        world.add_job("late", ["a"], starts_in=10, duration=100)
        world.add_job("early", ["a"], duration=100)
        clock.advance(9)
        assert percent(world) == 9.0

        clock.advance(2)

        assert percent(world) == 1.0


class TestFiguresAreNeverReset:
    """A new worker first reports the old figures, and retains the old start time."""

    def finished(self, world: World, clock: FakeClock, **how: Any) -> None:
        world.add_job("job-1", ["a"], duration=10, **how)
        clock.advance(20)

    @pytest.mark.parametrize("dialect", ["current", "oldest"])
    def test_a_new_worker_begins_with_the_old_ones(self, world: World, clock: FakeClock, dialect: str) -> None:
        self.finished(world, clock, dialect=dialect)
        old = stated(world)

        world.add_job("job-2", ["a"], keeps_figures=5, duration=100, wording="plain", dialect=dialect)

        begun = stated(world)
        assert (begun.status, begun.phase) == ("in_progress", "Initializing")
        assert (begun.percent, begun.bytes_transferred, begun.total_bytes) == (100.0, 40 * GIB, 40 * GIB)
        assert begun.started == old.started
        assert world.progress("job-2") == 0.0

        clock.advance(15)
        own = stated(world)
        assert (percent(world), own.bytes_transferred) == (10.0, 4 * GIB)
        assert own.started == old.started, "the start time is never reset"

    def test_nothing_is_copied_while_they_are_reported(self, world: World, clock: FakeClock) -> None:
        self.finished(world, clock)
        world.add_job("job-2", ["a"], keeps_figures=5, duration=100)

        clock.advance(5)

        assert (world.progress("job-2"), stated(world).percent) == (0.0, 0.0)

    def test_a_phase_and_a_percentage_of_its_own_leave_the_old_bytes(self, world: World, clock: FakeClock) -> None:
        self.finished(world, clock)

        world.add_job("job-2", ["a"], keeps_figures=5, first_percent=5.0, first_phase="Transfer")

        begun = stated(world)
        assert (begun.phase, begun.percent, begun.bytes_transferred) == ("Transfer", 5.0, 40 * GIB)

    def test_the_start_time_is_retained_from_job_to_job(self, world: World, clock: FakeClock) -> None:
        self.finished(world, clock)
        first = stated(world).started
        for n in (2, 3):
            world.add_job(f"job-{n}", ["a"], keeps_figures=5, duration=100)
            clock.advance(15)
            world.kill(f"job-{n}")
            clock.advance(10)

        assert (stated(world).started, percent(world)) == (first, 10.0)

    def test_later_changes_of_the_old_worker_do_not_change_them(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=100)
        clock.advance(40)
        world.add_job("job-2", ["a"], keeps_figures=10)
        clock.advance(1)
        world.fail("job-1")
        world.remove("job-1")

        assert percent(world) == 40.0

    def test_they_stay_if_the_worker_is_killed_meanwhile(self, world: World, clock: FakeClock) -> None:
        self.finished(world, clock)
        world.add_job("job-2", ["a"], keeps_figures=5)
        clock.advance(1)
        world.kill("job-2")

        clock.advance(60)

        assert stated(world).percent == 100.0

    def test_a_restart_of_the_vma_resets_them(self, world: World, clock: FakeClock) -> None:
        self.finished(world, clock)
        world.add_job("job-2", ["a"], keeps_figures=60)
        clock.advance(1)

        world.restart(reannounce=0.0)

        assert stated(world).percent == 0.0

    def test_a_volume_without_a_document_has_none(self, world: World) -> None:
        world.add_job("job-1", ["a"], keeps_figures=60, wording="plain")

        assert (stated(world).percent, stated(world).bytes_transferred) == (0.0, 0)

    def test_figures_of_a_document_set_by_hand_are_retained(self, world: World, clock: FakeClock) -> None:
        world.set_document(EXPORT, {"status": "completed", "percentage": 100.0, "timing": {"start_time": "10:00"}})
        clock.advance(1)

        world.add_job("job-1", ["a"], keeps_figures=60)

        assert (stated(world).percent, stated(world).started) == (100.0, "10:00")


class TestAnIncrementalWithoutChanges:
    """A complete copy that hardly changes the document."""

    @pytest.mark.parametrize("dialect", ["current", "oldest"])
    def test_its_document_equals_the_previous_one_except_for_its_sync_type(
        self, world: World, clock: FakeClock, dialect: str
    ) -> None:
        world.add_job("job-1", ["a"], duration=10, dialect=dialect)
        clock.advance(20)
        former = stated(world)
        world.add_job("job-2", ["a"], starts_in=math.inf, dialect=dialect)
        assert (stated(world).sync_type, world.truth("job-2")) == ("full", "running")

        world.run_zero_change("job-2")

        after = stated(world)
        assert (former.sync_type, after.sync_type) == ("full", "incremental")
        assert (after.started, after.percent, after.bytes_transferred) == (former.started, 100.0, 40 * GIB)
        assert world.truth("job-2") == "completed"

    def test_the_second_time_nothing_in_it_changes(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=10)
        clock.advance(20)
        documents = []
        for n in (2, 3):
            world.add_job(f"job-{n}", ["a"], zero_change="former")
            clock.advance(20)
            documents.append(without_updates(document_of(world)))

        assert documents[0] == documents[1]

    def test_it_may_have_0_of_0_bytes(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], duration=10)
        clock.advance(20)
        world.add_job("job-2", ["a"], starts_in=math.inf)

        world.run_zero_change("job-2", "empty")

        after = stated(world)
        assert (after.bytes_transferred, after.total_bytes, after.sync_type) == (0, 0, "incremental")
        assert truth_of_status(after.status or "") == "completed"

    def test_it_runs_when_its_job_starts(self, world: World, clock: FakeClock) -> None:
        world.add_job("job-1", ["a"], zero_change="empty", starts_in=5)
        assert (world.truth("job-1"), world.progress_of(EXPORT)) == ("running", None)

        clock.advance(6)

        assert (world.truth("job-1"), stated(world).total_bytes) == ("completed", 0)

    def test_a_job_that_has_started_is_refused(self, world: World) -> None:
        world.add_job("job-1", ["a"])

        with pytest.raises(ValueError, match="job-1 has started already"):
            world.run_zero_change("job-1")
