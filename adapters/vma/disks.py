"""Reading the list of disks in a VMA's document. Its ids are the worker's, not volume ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.vma.figures import FieldReader, first, name
from adapters.vma.words import STATUS_WORDS, Unintelligible, plain
from domain.vma_status import DiskReport, VMAStatus

LISTS = ("disk_progresses", "disks")
"""The list's name in the present form and in the oldest."""

MOST_DISKS = 64
"""Disks that a job can have. A longer list is not read: each entry costs memory and time of the event loop."""


def read_disks(fields: Mapping[str, Any], reader: FieldReader) -> tuple[DiskReport, ...]:
    """Read both lists, each disk once."""
    return _one_each(_disk(reader.mapping(disk), reader) for disk in listed(fields, reader))


def listed(fields: Mapping[str, Any], reader: FieldReader) -> list[Any]:
    """Return the entries of both lists as they stand there.

    Raises:
        Unintelligible: one of the lists is too long.

    """
    lists = {name_of_list: reader.listed(fields.get(name_of_list)) for name_of_list in LISTS}
    for name_of_list, entries in lists.items():
        if len(entries) > MOST_DISKS:
            raise Unintelligible(f"{name_of_list} lists {len(entries)} disks; a job has at most {MOST_DISKS}")
    return [disk for entries in lists.values() for disk in entries]


def _one_each(disks: Iterable[DiskReport]) -> tuple[DiskReport, ...]:
    """Take a disk that is listed twice once, by its worst entry; those without a name may all be the same."""
    worst: dict[str, DiskReport] = {}
    for disk in disks:
        known = worst.get(disk.disk_id)
        if known is None or _badness(disk) > _badness(known):
            worst[disk.disk_id] = disk
    return tuple(worst.values())


def _badness(disk: DiskReport) -> tuple[bool, bool]:
    return disk.status is VMAStatus.FAILED, not disk.is_finished


def _disk(fields: Mapping[str, Any], reader: FieldReader) -> DiskReport:
    """Read one entry. One that cannot be read is an unfinished disk, which holds up a `completed`."""
    return DiskReport(
        disk_id=name(first(fields, "disk_id", "id")),
        status=_status(fields.get("status"), reader),
        progress_percent=reader.least_percent(fields),
        bytes_transferred=reader.size(fields.get("bytes_transferred")),
        total_bytes=reader.size(fields.get("total_bytes"), fields.get("planned_bytes")),
    )


def _status(word: object, reader: FieldReader) -> VMAStatus:
    if word is None or word == "":
        return VMAStatus.RUNNING
    status = STATUS_WORDS.get(plain(word))
    reader.left_out |= status is None
    return status or VMAStatus.RUNNING
