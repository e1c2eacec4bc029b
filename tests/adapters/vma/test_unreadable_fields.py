"""A field that cannot be read is left out, completes nothing, and its text keeps no secret."""

from typing import Any

import pytest

from domain.vma_status import VMAStatus
from tests.adapters.vma.vma_says import reply

NO_PERCENT: list[Any] = [-0.1, -1, 1000.1, 2**60, -(2**60), 10**300, "100", "NaN", True, [1], {}]
NO_SIZE: list[Any] = [-1, 2**60 + 1000, 1e300, "5", False, [], {}]
NO_AGGREGATE: list[Any] = [7, "x", [], {"percent": -1}, {"total_bytes": "5"}]
UNREADABLE: list[dict[str, Any]] = [
    *({"percentage": percent} for percent in NO_PERCENT),
    *({name: size} for name in ("bytes_transferred", "total_bytes") for size in NO_SIZE),
    *({"aggregate": part} for part in NO_AGGREGATE),
    {"timing": "10:00"},
    {"cbt": 7},
    {"disk_progresses": {"a": 1}},
    {"disks": "x"},
    {"disk_progresses": [{"disk_id": "d", "percent": -1, "status": "completed"}]},
]


@pytest.mark.parametrize("wrong", UNREADABLE, ids=str)
def test_an_unreadable_field_is_skipped_and_the_rest_is_used(wrong: dict[str, Any]) -> None:
    rest = {"phase": "Transfer", "percentage": 41.5, "bytes_transferred": 5, "total_bytes": 10}
    running = reply({"status": "in_progress", **rest, **wrong}).document
    failed = reply({"status": "failed", **rest, "last_error": "disk full", **wrong}).document

    assert running is not None
    assert failed is not None
    assert (running.status, running.phase) == (VMAStatus.RUNNING, "Transfer")
    assert running.progress_percent == (None if "percentage" in wrong else 41.5)
    assert running.bytes_transferred == (None if "bytes_transferred" in wrong else 5)
    assert running.total_bytes == (None if "total_bytes" in wrong else 10)
    assert (failed.status, failed.error) == (VMAStatus.FAILED, "disk full")


@pytest.mark.parametrize("wrong", UNREADABLE, ids=str)
def test_a_document_with_an_unreadable_field_completes_no_job(wrong: dict[str, Any]) -> None:
    answer = reply({"status": "completed", "percentage": 100, **wrong})

    assert (answer.status, answer.detail) == (
        VMAStatus.UNINTELLIGIBLE,
        "completed, with figures that cannot be read",
    )


def test_of_two_stated_figures_the_readable_one_is_read() -> None:
    found = reply({"status": "running", "percentage": "x", "aggregate": {"percent": 7, "total_bytes": 9}}).document

    assert found is not None
    assert (found.progress_percent, found.total_bytes) == (7.0, 9)


@pytest.mark.parametrize("size", [0, 2**60])
def test_bytes_are_read_up_to_an_exabyte(size: int) -> None:
    found = reply({"status": "in_progress", "bytes_transferred": size, "total_bytes": size}).document

    assert found is not None
    assert (found.bytes_transferred, found.total_bytes) == (size, size)


@pytest.mark.parametrize(
    ("fields", "sync_type"),
    [
        ({"sync_type": "incremental"}, "incremental"),
        ({"cbt": {"type": "full"}}, "full"),
        ({"sync_type": "", "cbt": {"type": "full"}}, "full"),
        ({"sync_type": "initial", "cbt": {"type": "full"}}, "initial"),
        ({"sync_type": ""}, None),
        ({"sync_type": 7, "cbt": {"type": None}}, None),
        ({}, None),
    ],
)
def test_the_type_of_the_sync_is_read_in_both_forms(fields: dict[str, Any], sync_type: str | None) -> None:
    found = reply({"status": "in_progress", **fields}).document

    assert found is not None
    assert found.sync_type == sync_type


def test_a_secret_in_any_text_of_a_document_is_not_stored() -> None:
    token = "jr_" + "a" * 43
    texts = {"phase": token, "sync_type": token, "last_error": token, "started_at": token}

    found = reply({"status": "failed", **texts, "disks": [{"id": token}]}).document

    assert found is not None
    assert {found.phase, found.sync_type, found.error, found.started, found.disks[0].disk_id} == {"jr_***"}


@pytest.mark.parametrize(("said", "kept"), [(7, "7"), ("vol-1", "vol-1"), (None, ""), (True, ""), (["a"], "")])
def test_a_disks_name_is_a_text_or_a_number(said: object, kept: str) -> None:
    found = reply({"status": "in_progress", "disks": [{"id": said}]}).document

    assert found is not None
    assert found.disks[0].disk_id == kept
