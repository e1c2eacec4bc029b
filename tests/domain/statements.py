"""What a disk is said to do now, and was said to do before."""

from typing import Any

from domain.attribution import (
    PreviousReading,
)
from domain.vma_status import DiskReading, VMAStatus

RUNNING, COMPLETED, FAILED = VMAStatus.RUNNING, VMAStatus.COMPLETED, VMAStatus.FAILED

FIGURES: dict[str, Any] = {
    "phase": "Transfer",
    "progress_percent": 60.0,
    "bytes_transferred": 600,
    "total_bytes": 1000,
    "started": "10:00",
    "sync_type": "full",
}
OTHER_FIGURES: dict[str, Any] = {
    "phase": "Cleanup",
    "progress_percent": 61.0,
    "bytes_transferred": 610,
    "total_bytes": 2000,
    "started": "11:00",
}


def said(status: VMAStatus = RUNNING, **figures: Any) -> DiskReading:
    """Say 60 % of disk v1, or as given."""
    return DiskReading(volume_id="v1", status=status, **{**FIGURES, **figures})


def was(
    status: VMAStatus = RUNNING, *, alive: bool | None = None, one_disk: bool = False, **figures: Any
) -> PreviousReading:
    """Have disk v1 have said 60 % before, or as given."""
    known = {**FIGURES, **figures}
    return PreviousReading(volume_id="v1", status=status, alive=alive, one_disk=one_disk, **known)
