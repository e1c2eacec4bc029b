"""From what each id answered to one statement about the job."""

import pytest

from domain.observing import disks_covered, needs_own_id, probe
from domain.ports import ProbeTarget
from domain.vma_status import Answer, Document, VMAStatus
from tests.support.builders import answer, document, listing, observed
from tests.support.clock import FakeClock

COMPLETED = document(VMAStatus.COMPLETED, 100.0)
RUNNING = document(VMAStatus.RUNNING, 40.0)
FAILED = document(VMAStatus.FAILED, 40.0)
LOST, DOWN, NOISE = VMAStatus.NOT_FOUND, VMAStatus.UNREACHABLE, VMAStatus.UNINTELLIGIBLE
MUTE, UNASKED = VMAStatus.UNANSWERED, VMAStatus.NOT_ASKED


@pytest.mark.parametrize(
    ("exports", "own", "expected"),
    [
        ((RUNNING,), None, VMAStatus.RUNNING),
        ((COMPLETED, COMPLETED), None, VMAStatus.COMPLETED),
        ((COMPLETED, RUNNING), None, VMAStatus.RUNNING),
        ((FAILED, RUNNING), None, VMAStatus.FAILED),
        ((FAILED, COMPLETED, DOWN), None, VMAStatus.FAILED),
        ((RUNNING, DOWN), None, VMAStatus.RUNNING),
        ((COMPLETED, NOISE), COMPLETED, VMAStatus.UNINTELLIGIBLE),
        ((LOST, NOISE), LOST, VMAStatus.UNINTELLIGIBLE),
        ((LOST, LOST), LOST, VMAStatus.NOT_FOUND),
        ((COMPLETED, LOST), LOST, VMAStatus.COMPLETED),
        ((LOST,), RUNNING, VMAStatus.RUNNING),
        ((LOST, LOST), FAILED, VMAStatus.FAILED),
        ((COMPLETED, LOST), RUNNING, VMAStatus.RUNNING),
        ((NOISE,), RUNNING, VMAStatus.RUNNING),
        ((LOST,), COMPLETED, VMAStatus.COMPLETED),
        ((LOST, LOST), NOISE, VMAStatus.UNINTELLIGIBLE),
    ],
)
def test_the_job_is_judged_over_all_its_disks(exports: tuple, own: object, expected: VMAStatus) -> None:  # type: ignore[type-arg]
    assert observed(*exports, own=own).status is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("exports", "own", "expected"),
    [
        ((DOWN,), None, DOWN),
        ((DOWN, DOWN), None, DOWN),
        ((DOWN, DOWN), DOWN, DOWN),
        ((DOWN, LOST), LOST, MUTE),
        ((LOST,), DOWN, MUTE),
        ((DOWN, COMPLETED), COMPLETED, MUTE),
        ((COMPLETED, LOST), DOWN, MUTE),
        ((COMPLETED, COMPLETED), DOWN, MUTE),
        ((DOWN, MUTE), MUTE, MUTE),
        ((DOWN, NOISE), LOST, MUTE),
        ((MUTE,), MUTE, MUTE),
        ((MUTE, COMPLETED), LOST, MUTE),
        ((MUTE, LOST), LOST, MUTE),
        ((MUTE, NOISE), NOISE, MUTE),
        ((NOISE, NOISE), NOISE, NOISE),
        ((NOISE, LOST), COMPLETED, NOISE),
        ((UNASKED,), None, UNASKED),
        ((UNASKED, LOST), LOST, UNASKED),
        ((UNASKED, COMPLETED), COMPLETED, UNASKED),
        ((UNASKED, DOWN), None, UNASKED),
        ((UNASKED, MUTE), None, UNASKED),
        ((UNASKED, NOISE), None, UNASKED),
        ((LOST, LOST), UNASKED, UNASKED),
        ((UNASKED, RUNNING), None, VMAStatus.RUNNING),
        ((MUTE, FAILED), None, VMAStatus.FAILED),
        ((MUTE,), RUNNING, VMAStatus.RUNNING),
    ],
)
def test_an_id_that_gave_no_answer_may_be_the_one_that_the_worker_reports_under(
    exports: tuple[Document | VMAStatus, ...], own: Document | VMAStatus | None, expected: VMAStatus
) -> None:
    """The VMA as a whole is unreachable only if no id was answered."""
    assert observed(*exports, own=own).status is expected


def test_all_disks_completed_is_a_conclusive_word() -> None:
    seen = observed(COMPLETED, COMPLETED)

    assert (seen.covered, seen.conclusive, seen.doubtful) == (2, True, False)


def test_completed_under_a_shared_id_vouches_for_one_disk() -> None:
    seen = observed(LOST, LOST, own=COMPLETED)

    assert (seen.covered, seen.conclusive, seen.doubtful) == (1, False, True)


def test_completed_under_the_id_of_a_job_with_one_disk_vouches_for_it() -> None:
    assert observed(LOST, own=COMPLETED).conclusive


def test_a_list_of_finished_disks_vouches_for_all_of_them() -> None:
    whole = document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 100))

    assert observed(LOST, LOST, own=whole).conclusive
    assert observed(whole, LOST, own=LOST).conclusive


def test_a_list_of_fewer_disks_than_the_job_has_does_not() -> None:
    part = document(VMAStatus.COMPLETED, 100.0, disks=listing(100))

    assert observed(LOST, LOST, own=part).doubtful


def test_the_disk_that_contradicts_itself_most_counts() -> None:
    near, far = document(VMAStatus.COMPLETED, 95.0), document(VMAStatus.COMPLETED, 41.5)

    seen = observed(near, far, COMPLETED)

    assert (seen.contradicting_progress, seen.covered) == (41.5, 1)
    assert observed(LOST, LOST, own=far).contradicting_progress == 41.5


def test_a_list_that_vouches_for_all_does_not_outweigh_a_disk_that_contradicts_itself() -> None:
    whole = document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 100))

    seen = observed(whole, document(VMAStatus.COMPLETED, 41.5))

    assert (seen.covered, seen.contradicting_progress, seen.doubtful, seen.conclusive) == (2, 41.5, True, False)


def test_what_does_not_claim_to_be_completed_is_not_belied() -> None:
    assert observed(RUNNING).contradicting_progress is None
    assert observed(document(VMAStatus.COMPLETED, 41.5), RUNNING).contradicting_progress is None
    assert observed(document(VMAStatus.COMPLETED, 41.5), FAILED).contradicting_progress is None


def test_an_unfinished_disk_in_the_list_vouches_for_nothing() -> None:
    assert disks_covered(document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 50)), 2) == 0
    assert disks_covered(document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 100, 100)), 2) == 2


class TestDisksThatNeverAnswered:
    """An older generation reports all disks under the first export; the other exports never exist."""

    def test_beside_a_completed_one_they_are_not_lost_and_the_completion_is_doubtful(self) -> None:
        seen = observed(COMPLETED, LOST, LOST, own=LOST, seen_volumes=frozenset({"v1"}))

        assert (seen.status, seen.covered, seen.doubtful, seen.is_contact) == (VMAStatus.COMPLETED, 1, True, True)

    def test_one_that_was_heard_of_before_and_is_gone_is_not_found(self) -> None:
        for heard in ({"v2"}, {"v1", "v2"}, {"v2", "v3"}):
            assert observed(COMPLETED, LOST, LOST, own=LOST, seen_volumes=frozenset(heard)).status is LOST

    def test_without_a_completed_one_the_job_is_not_found(self) -> None:
        assert observed(LOST, LOST, own=LOST).status is LOST


def test_a_failure_says_what_the_vma_said() -> None:
    one, other = document(VMAStatus.FAILED, error="disk full"), document(VMAStatus.FAILED, error="no route")

    assert observed(one, other, RUNNING).error == "disk full; no route"
    assert observed(FAILED).error == "the VMA gave no reason"
    assert observed(document(VMAStatus.FAILED, error="")).error == "the VMA gave no reason"
    assert observed(RUNNING).error is None


def test_a_message_is_told_once_also_if_the_documents_of_a_disk_and_of_the_job_have_it() -> None:
    full, no_route, both = (document(VMAStatus.FAILED, error=e) for e in ("full", "no route", "no route; full; late"))

    assert observed(full, full).error == "full"
    assert observed(full, own=full).error == "full"
    assert observed(full, no_route, own=both).error == "full; no route; late"
    assert observed(RUNNING, own=both).error == "no route; full; late"


@pytest.mark.parametrize(
    ("exports", "settled"),
    [
        ((RUNNING, LOST), True),
        ((FAILED, LOST), True),
        ((RUNNING, DOWN), True),
        ((FAILED, UNASKED), True),
        ((UNASKED, LOST), True),
        ((DOWN,), True),
        ((DOWN, DOWN), True),
        ((DOWN, LOST), False),
        ((DOWN, COMPLETED), False),
        ((COMPLETED,), False),
        ((COMPLETED, COMPLETED), False),
        ((COMPLETED, LOST), False),
        ((MUTE,), False),
        ((LOST,), False),
        ((NOISE,), False),
    ],
)
def test_the_jobs_own_id_is_asked_where_the_exports_do_not_settle_it(
    exports: tuple[Document | VMAStatus, ...],
    *,
    settled: bool,
) -> None:
    """A VM may have got a disk that was not registered: completed exports do not settle it."""
    answers = {f"v{n}": answer(f"v{n}", said) for n, said in enumerate(exports)}

    assert needs_own_id(ProbeTarget("job-1", "default", tuple(answers)), answers) is not settled


def test_a_list_under_one_export_that_is_shorter_than_the_job_completes_nothing() -> None:
    part = document(VMAStatus.COMPLETED, 100.0, disks=listing(100))

    for own in (LOST, COMPLETED, None):
        assert not observed(part, LOST, own=own).conclusive


def test_one_export_vouches_for_its_own_disk_however_many_it_lists() -> None:
    two = document(VMAStatus.COMPLETED, 100.0, disks=listing(100, 100))

    seen = observed(two, COMPLETED, LOST, own=COMPLETED)

    assert (seen.status, seen.covered, seen.conclusive) == (VMAStatus.COMPLETED, 2, False)


def test_a_job_without_disks_is_not_completed_by_that() -> None:
    assert observed().status is VMAStatus.NOT_FOUND
    assert needs_own_id(ProbeTarget("job-1", "default", ()), {})


def test_what_is_not_completed_covers_nothing() -> None:
    assert observed(RUNNING, COMPLETED).covered == 0
    assert observed(FAILED).covered == 0


def test_a_job_is_in_the_phase_of_its_own_document_or_of_the_disk_that_decides() -> None:
    failed = document(VMAStatus.FAILED, 40.0, phase="Error")

    assert observed(LOST, own=document(phase="Cleanup")).phase == "Cleanup"
    assert observed(document(phase="Discover"), own=document(phase="Cleanup")).phase == "Cleanup"
    assert observed(document(phase="Transfer"), failed).phase == "Error"
    assert observed(LOST, LOST).phase is None


class SlowVMA:
    """Answers after some time; knows one export and one job id."""

    def __init__(self, clock: FakeClock, export: Document | VMAStatus) -> None:
        self.asked: list[str] = []
        self._clock = clock
        self._export = export

    async def ask_exports(self, target: ProbeTarget) -> dict[str, Answer]:
        self.asked.append("exports")
        self._clock.advance(21.23456)
        return {volume_id: answer(f"migration-vol-{volume_id}", self._export) for volume_id in target.volume_ids}

    async def ask_job_id(self, target: ProbeTarget) -> list[Answer]:
        self.asked.append(target.job_id)
        self._clock.advance(0.5)
        return [answer(target.job_id, RUNNING)]

    def address_of(self, vma: str) -> str:
        return f"http://{vma}"


@pytest.mark.parametrize(
    ("export", "asked", "took_ms"),
    [(RUNNING, ["exports"], 21234.6), (LOST, ["exports", "job-1"], 21734.6)],
    ids=["the export is conclusive", "it is not"],
)
async def test_a_probe_asks_for_the_jobs_own_id_if_the_exports_are_not_conclusive_and_takes_the_time_of_both(
    export: Document | VMAStatus, asked: list[str], took_ms: float
) -> None:
    clock = FakeClock()
    vma = SlowVMA(clock, export)

    seen = await probe(vma, clock, ProbeTarget("job-1", "default", ("v1",), "http://default"))

    assert (seen.status, vma.asked, seen.took_ms) == (VMAStatus.RUNNING, asked, took_ms)
    assert (seen.observed_at, seen.address) == (clock.now(), "http://default")
