"""Every reply of a VMA has one reading, and garbage is never conclusive."""

import json
from typing import Any

import pytest

from adapters.vma import vocabulary
from adapters.vma.documents import read_document
from domain.vma_status import CONCLUSIVE, VMAStatus
from tests.adapters.vma.vma_says import ID, disk, reply, says

RUNNING = "starting running in_progress pending Queued Preparing Snapshotting Streaming Finalizing transferring"
ALIVE = (
    "paused Pausing suspended suspending resuming cancelling canceling CANCELLING aborting terminating stopping "
    "retrying waiting initializing syncing copying verifying active scheduled re-connecting"
)
PHASES = (
    "Initializing,Creating Snapshot,Snapshot Creation,Setting up NBD,Preparing Migration,Discover,EnableCBT,QueryCBT,"
    "Snapshot,PrepareVolumes,StartExports,Transfer,Copying Data,Finalize,Cleanup"
)


@pytest.mark.parametrize("word", [*RUNNING.split(), "IN-PROGRESS", "In Progress", "inProgress", "QUEUED"])
def test_every_status_that_means_running_is_running(word: str) -> None:
    assert says(status=word) is VMAStatus.RUNNING


@pytest.mark.parametrize("word", ["completed", "Succeeded", "COMPLETED"])
def test_every_status_that_means_completed_is_completed(word: str) -> None:
    assert says(status=word, phase="PersistChangeIDs", percentage=100) is VMAStatus.COMPLETED


@pytest.mark.parametrize("word", ["failed", "Failed", "error", "ERROR"])
def test_every_status_that_means_failed_is_failed(word: str) -> None:
    assert says(status=word) is VMAStatus.FAILED


@pytest.mark.parametrize("word", ALIVE.split())
def test_a_job_whose_worker_is_alive_runs_whatever_it_is_doing(word: str) -> None:
    assert says(status=word, percentage=41) is VMAStatus.RUNNING
    assert says(status="completed", disk_progresses=[disk(100, "completed"), disk(50, word)]) is VMAStatus.RUNNING


@pytest.mark.parametrize("word", ["cancelled", "Canceled", "ABORTED", "terminated"])
def test_a_cancelled_job_has_failed_and_its_error_quotes_the_status(word: str) -> None:
    alone = reply({"status": word, "percentage": 41}).document
    with_reason = reply({"status": word, "last_error": "by the operator"}).document
    one_disk = reply({"status": "in_progress", "disk_progresses": [disk(50, word), disk(50)]}).document

    assert alone is not None
    assert with_reason is not None
    assert one_disk is not None
    assert (alone.status, alone.error) == (VMAStatus.FAILED, f"the VMA says {word}")
    assert (with_reason.status, with_reason.error) == (VMAStatus.FAILED, f"the VMA says {word}; by the operator")
    assert (one_disk.status, one_disk.error) == (VMAStatus.FAILED, f"the VMA says {word}")


@pytest.mark.parametrize("word", ["stopped", "halted", "killed", "done", "finished", "stalled", "unknown"])
def test_an_ambiguous_status_is_unintelligible_and_quoted(word: str) -> None:
    assert (reply({"status": word}).status, reply({"status": word}).detail) == (
        VMAStatus.UNINTELLIGIBLE,
        f"unknown status '{word}'",
    )


@pytest.mark.parametrize("phase", PHASES.split(","))
def test_a_document_without_a_status_is_read_by_its_phase(phase: str) -> None:
    assert says(phase=phase) is VMAStatus.RUNNING
    assert says(stage=phase.upper().replace(" ", "_")) is VMAStatus.RUNNING
    assert says(status="", phase="", stage=phase) is VMAStatus.RUNNING


def test_a_phase_alone_never_completes_a_job() -> None:
    assert says(phase="Completed") is VMAStatus.UNINTELLIGIBLE
    assert VMAStatus.COMPLETED not in vocabulary.PHASES.values()
    assert says(phase="Error") is VMAStatus.FAILED


def test_change_ids_are_persisted_by_a_job_that_still_runs() -> None:
    assert says(status="in_progress", phase="PersistChangeIDs") is VMAStatus.RUNNING


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "dancing"},
        {"status": 7},
        {"status": []},
        {"status": 0, "phase": "Transfer"},
        {"status": ""},
        {"status": "", "phase": ""},
        {"phase": 7},
        {"phase": "Dancing"},
    ],
)
def test_what_is_not_in_the_vocabulary_is_unintelligible(fields: dict[str, Any]) -> None:
    assert says(**fields) is VMAStatus.UNINTELLIGIBLE


def test_the_current_form_is_read() -> None:
    document = read_document(
        ID,
        json.dumps(
            {
                "job_id": ID,
                "status": "in_progress",
                "phase": "Transfer",
                "percentage": 41.5,
                "bytes_transferred": 17825792,
                "total_bytes": 42949672960,
                "errors": [],
                "last_error": None,
                "new_field": {"x": 1},
            }
        ).encode(),
    )

    assert (document.phase, document.progress_percent) == ("Transfer", 41.5)
    assert (document.bytes_transferred, document.total_bytes) == (17825792, 42949672960)
    assert document.error is None


def test_the_oldest_nested_form_is_read() -> None:
    old = {
        "job_id": ID,
        "stage": "Transfer",
        "status": "Streaming",
        "aggregate": {"total_bytes": 100, "bytes_transferred": 40, "percent": 40.0},
        "disks": [{"id": "2000", "percent": 40.0, "status": "Streaming"}],
    }
    document = read_document(ID, json.dumps(old).encode())

    assert (document.status, document.progress_percent, document.total_bytes) == (VMAStatus.RUNNING, 40.0, 100)
    assert document.disks[0].disk_id == "2000"


def test_the_coarse_status_form_is_read() -> None:
    coarse = {"job_id": ID, "status": "running", "progress_percent": 12.5, "current_operation": "Transferring Data"}
    document = read_document(ID, json.dumps(coarse).encode())

    assert (document.status, document.progress_percent) == (VMAStatus.RUNNING, 12.5)


def test_a_job_at_nothing_of_nothing_is_running() -> None:
    assert says(status="in_progress", percentage=0, total_bytes=0) is VMAStatus.RUNNING


@pytest.mark.parametrize(
    ("errors", "last_error", "said"),
    [
        (None, None, None),
        ([], "disk full", "disk full"),
        (["a", "b"], None, "a; b"),
        ([{"message": "a", "recoverable": True}], {"message": "z"}, "z; a"),
        ([{"error_type": "TIMEOUT"}], None, "TIMEOUT"),
        ("not a list", 7, "not a list"),
        ({"message": "no list"}, ["z"], "no list"),
        ([7, None, ["a"], {"message": 7}], {"details": "z"}, None),
        ([{"message": 7, "error_type": "TIMEOUT"}, {"message": ""}], None, "TIMEOUT"),
    ],
)
def test_errors_are_read_in_every_form(errors: object, last_error: object, said: str | None) -> None:
    body = json.dumps({"status": "failed", "errors": errors, "last_error": last_error}).encode()

    assert read_document(ID, body).error == said


def test_recoverable_errors_are_no_failure() -> None:
    assert says(status="in_progress", errors=[{"message": "retry", "recoverable": True}]) is VMAStatus.RUNNING


def test_one_failed_disk_in_the_list_fails_the_job() -> None:
    assert says(status="in_progress", disk_progresses=[disk(50), disk(10, "failed")]) is VMAStatus.FAILED


def test_an_unfinished_disk_in_the_list_has_priority_over_a_completed() -> None:
    assert says(status="completed", disk_progresses=[disk(100, "completed"), disk(50)]) is VMAStatus.RUNNING
    assert says(status="completed", disk_progresses=[disk(100), disk(99.5)]) is VMAStatus.COMPLETED


def test_a_rounding_error_above_a_hundred_is_a_hundred() -> None:
    assert read_document(ID, b'{"status":"running","percentage":100.0000001}').progress_percent == 100.0


@pytest.mark.parametrize("word", [None, ""])
def test_a_disk_in_the_list_without_a_status_runs(word: str | None) -> None:
    fields = {"disk_id": "disk-0", "percent": 50.0} | ({} if word is None else {"status": word})

    answer = reply({"status": "in_progress", "disk_progresses": [fields]})

    assert answer.document is not None
    assert [disk.status for disk in answer.document.disks] == [VMAStatus.RUNNING]


def test_a_disk_whose_entry_cannot_be_read_is_an_unfinished_disk() -> None:
    """It holds up a job that would be near its end otherwise."""
    for entry in ("x", 7, {"status": "dancing", "percent": "much"}, {"status": ["completed"]}):
        found = reply({"status": "in_progress", "percentage": 99, "disk_progresses": [disk(99), entry]}).document

        assert found is not None
        assert (found.status, found.least_progress) == (VMAStatus.RUNNING, 0.0)
        assert says(status="completed", disk_progresses=[disk(100), entry]) is VMAStatus.UNINTELLIGIBLE
        assert says(status="failed", disk_progresses=[disk(100), entry]) is VMAStatus.FAILED


def test_a_completed_in_a_phase_of_failure_is_unintelligible() -> None:
    assert says(status="completed", phase="Error", percentage=100) is VMAStatus.UNINTELLIGIBLE
    assert says(status="completed", stage="ERROR", percentage=100) is VMAStatus.UNINTELLIGIBLE
    assert says(status="completed", phase="Cancelled", percentage=100) is VMAStatus.UNINTELLIGIBLE
    assert says(status="completed", phase="Transfer", percentage=100) is VMAStatus.COMPLETED
    assert reply({"status": "completed", "phase": "Error"}).detail == "completed, in the phase 'Error'"


def test_a_completed_with_an_unrecoverable_error_is_unintelligible() -> None:
    final, passing = {"message": "write failed", "recoverable": False}, {"message": "slow", "recoverable": True}

    assert says(status="completed", last_error=final) is VMAStatus.UNINTELLIGIBLE
    assert says(status="completed", errors=[passing, final]) is VMAStatus.UNINTELLIGIBLE
    assert says(status="completed", errors=[passing, "a word"], last_error={"message": "?"}) is VMAStatus.COMPLETED
    assert says(status="failed", last_error=final) is VMAStatus.FAILED
    assert says(status="in_progress", last_error=final) is VMAStatus.RUNNING
    assert (
        reply({"status": "completed", "last_error": final}).detail == "completed, with an error that is not recoverable"
    )


@pytest.mark.parametrize("word", ["completed", "failed"])
@pytest.mark.parametrize("name", ["status", "percentage", "\\u0073tatus"])
def test_a_document_with_a_repeated_name_ends_no_job(word: str, name: str) -> None:
    twice = f'{{"status":"in_progress","percentage":41,"{name}":"x","percentage":100,"status":"{word}"}}'
    nested = f'{{"status":"{word}","aggregate":{{"percent":1,"percent":100}}}}'

    for body in (twice, nested):
        assert reply(body).detail == "a name is there twice"
    assert reply(twice.replace(word, "running")).status is VMAStatus.RUNNING
    assert reply(f'{{"status":"{word}","a":{"9" * 40},"b":1.5}}').status in CONCLUSIVE


def test_of_two_stated_progresses_the_lesser_is_read() -> None:
    twice = {"status": "completed", "percentage": 100, "aggregate": {"percent": 41}, "progress_percent": 77}

    found = reply(twice).document
    assert found is not None
    assert (found.progress_percent, found.contradicting_progress) == (41.0, 41.0)


def test_a_disk_that_is_listed_twice_is_one_disk_and_its_worst_entry_counts() -> None:
    finished, half, failed = disk(100, "completed"), disk(50), disk(100, "failed")
    unnamed = {"percent": 100, "status": "completed"}

    def listed(*disks: dict[str, Any]) -> list[VMAStatus]:
        found = reply({"status": "in_progress", "disk_progresses": list(disks)}).document
        return [entry.status for entry in found.disks] if found else []

    assert listed(finished, finished) == [VMAStatus.COMPLETED]
    assert listed(unnamed, unnamed, finished) == [VMAStatus.COMPLETED, VMAStatus.COMPLETED]
    assert listed(finished, half) == listed(half, finished) == [VMAStatus.RUNNING]
    assert listed(failed, half, finished) == listed(finished, half, failed) == [VMAStatus.FAILED]


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ({"timing": {"start_time": "10:00"}}, "10:00"),
        ({"start_time": "10:00"}, "10:00"),
        ({"started_at": "10:00", "timing": {"start_time": "11:00"}}, "10:00"),
        ({"timing": "10:00"}, None),
        ({"timing": {"start_time": 7}}, None),
        ({}, None),
    ],
)
def test_the_start_time_is_stored_as_it_was_stated(fields: dict[str, Any], started: str | None) -> None:
    found = reply({"status": "in_progress", **fields}).document

    assert found is not None
    assert found.started == started


def test_both_lists_of_disks_count() -> None:
    finished, half = disk(100, "completed"), {"id": "disk-2001", "percent": 5, "status": "Streaming"}

    assert says(status="completed", disk_progresses=[finished], disks=[half]) is VMAStatus.RUNNING
    assert says(status="completed", disk_progresses=[], disks=[half]) is VMAStatus.RUNNING


def test_a_disk_that_is_listed_as_streaming_prevents_a_completed_without_any_figures() -> None:
    def says_with(**listed: Any) -> VMAStatus:
        return says(status="completed", percentage=100, disk_progresses=[disk(100, "completed"), listed])

    assert says_with(status="Streaming") is VMAStatus.RUNNING
    assert says_with(status="Streaming", bytes_transferred=5, total_bytes=10) is VMAStatus.RUNNING
    assert says_with(status="Streaming", bytes_transferred=5, planned_bytes=10) is VMAStatus.RUNNING
    assert says_with(status="Streaming", bytes_transferred=10, planned_bytes=10) is VMAStatus.COMPLETED


@pytest.mark.parametrize("percent", [98.9, 99.0])
def test_a_disk_at_ninety_nine_percent_does_not_prevent_a_completed(percent: float) -> None:
    whole = {"status": "completed", "percentage": 100.0, "disk_progresses": [disk(percent), disk(100.0)]}

    assert reply(whole).status is (VMAStatus.COMPLETED if percent == 99.0 else VMAStatus.RUNNING)


@pytest.mark.parametrize(
    ("percent", "read"), [(0, 0.0), (-0.0000001, 0.0), (0.5, 0.5), (50, 50.0), (100, 100.0), (100.0000001, 100.0)]
)
def test_a_percentage_is_read_unchanged_except_for_rounding(percent: float, read: float) -> None:
    answer = reply({"status": "in_progress", "percentage": percent})

    assert answer.document is not None
    assert answer.document.progress_percent == read


@pytest.mark.parametrize("percent", [100.1, 103.7, 250, 1000])
def test_a_percentage_above_a_hundred_is_a_hundred(percent: float) -> None:
    for word in ("in_progress", "completed", "failed"):
        found = reply({"status": word, "percentage": percent}).document

        assert found is not None
        assert (found.status, found.progress_percent) == (reply({"status": word}).status, 100.0)
