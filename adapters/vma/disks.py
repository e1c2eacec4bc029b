"""Reads the list of disks in a VMA's document. Its ids are the worker's, not volume ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.vma.figures import FieldReader, first, name
from adapters.vma.vocabulary import STATUSES, Unintelligible, normalized
from domain.vma_status import DiskReport, VMAStatus

LISTS = ("disk_progresses", "disks")
"""The list's name in the current form and in the oldest."""

MAX_DISKS = 64
"""Disks that a job can have. A longer list is not read, because each entry costs memory and time."""


def read_disks(fields: Mapping[str, Any], reader: FieldReader) -> tuple[DiskReport, ...]:
    """Return the disks of both lists, each disk once."""
    return _unique(_disk(reader.mapping(disk), reader) for disk in listed(fields, reader))


def listed(fields: Mapping[str, Any], reader: FieldReader) -> list[Any]:
    """Return the entries of both lists, unread.

    Raises:
        Unintelligible: one of the lists is too long.

    """
    lists = {name_of_list: reader.listed(fields.get(name_of_list)) for name_of_list in LISTS}
    for name_of_list, entries in lists.items():
        if len(entries) > MAX_DISKS:
            raise Unintelligible(f"{name_of_list} lists {len(entries)} disks; a job has at most {MAX_DISKS}")
    return [disk for entries in lists.values() for disk in entries]


def _unique(disks: Iterable[DiskReport]) -> tuple[DiskReport, ...]:
    """Return each disk once, by its worst entry; disks without a name may all be the same."""
    worst: dict[str, DiskReport] = {}
    for disk in disks:
        other = worst.get(disk.disk_id)
        if other is None or _badness(disk) > _badness(other):
            worst[disk.disk_id] = disk
    return tuple(worst.values())


def _badness(disk: DiskReport) -> tuple[bool, bool]:
    return disk.status is VMAStatus.FAILED, not disk.is_finished


def _disk(fields: Mapping[str, Any], reader: FieldReader) -> DiskReport:
    """Return one entry. An unreadable one is an unfinished disk, so that the document is not `completed`."""
    return DiskReport(
        disk_id=name(first(fields, "disk_id", "id")),
        status=_status(fields.get("status"), reader),
        progress_percent=reader.least_percent(fields),
        bytes_transferred=reader.size(fields.get("bytes_transferred")),
        total_bytes=reader.size(fields.get("total_bytes"), fields.get("planned_bytes")),
    )


def _status(value: object, reader: FieldReader) -> VMAStatus:
    if value is None or value == "":
        return VMAStatus.RUNNING
    status = STATUSES.get(normalized(value))
    reader.skipped |= status is None
    return status or VMAStatus.RUNNING
