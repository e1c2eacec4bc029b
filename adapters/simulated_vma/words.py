"""The words that the generations of the VMA have for the stages of a worker's life.

Every job keeps to one wording, and different jobs use different ones, so that a client which knows only one
of them is found out.
"""

import zlib
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Literal


class Stage(IntEnum):
    """Where a worker stands, in the order in which it gets there; `FAILED` can follow any."""

    QUEUED = 0
    INITIALIZING = 1
    SNAPSHOTTING = 2
    CONNECTING = 3
    TRANSFERRING = 4
    CLEANING = 5
    COMPLETED = 6
    FAILED = 7

    @property
    def over(self) -> bool:
        """Whether the worker has ended, well or badly."""
        return self >= Stage.COMPLETED


MILESTONES = (
    (0.5, Stage.INITIALIZING),
    (1.0, Stage.SNAPSHOTTING),
    (1.5, Stage.CONNECTING),
    (98.5, Stage.TRANSFERRING),
)
"""Up to which percentage of its life a worker is in which stage."""

Wording = Literal["plain", "stages", "copying", "shouting"]
Vocabulary = Mapping[Stage, tuple[str, str]]
"""For each stage the words of `status` and of `phase` (or `stage`)."""

PLAIN: Vocabulary = MappingProxyType(
    {
        Stage.QUEUED: ("pending", "Initializing"),
        Stage.INITIALIZING: ("in_progress", "Initializing"),
        Stage.SNAPSHOTTING: ("in_progress", "Creating Snapshot"),
        Stage.CONNECTING: ("in_progress", "Setting up NBD"),
        Stage.TRANSFERRING: ("in_progress", "Transfer"),
        Stage.CLEANING: ("in_progress", "Cleanup"),
        Stage.COMPLETED: ("completed", "Completed"),
        Stage.FAILED: ("failed", "Error"),
    }
)
STAGES: Vocabulary = MappingProxyType(
    {
        Stage.QUEUED: ("Queued", "Discover"),
        Stage.INITIALIZING: ("Preparing", "EnableCBT"),
        Stage.SNAPSHOTTING: ("Snapshotting", "Snapshot"),
        Stage.CONNECTING: ("Preparing", "PrepareVolumes"),
        Stage.TRANSFERRING: ("Streaming", "Transfer"),
        Stage.CLEANING: ("Finalizing", "Finalize"),
        Stage.COMPLETED: ("Succeeded", "PersistChangeIDs"),
        Stage.FAILED: ("Failed", "Error"),
    }
)
COPYING: Vocabulary = MappingProxyType(
    {
        Stage.QUEUED: ("pending", "Initializing"),
        Stage.INITIALIZING: ("starting", "Preparing Migration"),
        Stage.SNAPSHOTTING: ("running", "Snapshot Creation"),
        Stage.CONNECTING: ("running", "StartExports"),
        Stage.TRANSFERRING: ("transferring", "Copying Data"),
        Stage.CLEANING: ("running", "Cleanup"),
        Stage.COMPLETED: ("completed", "Completed"),
        Stage.FAILED: ("error", "Error"),
    }
)
SHOUTING: Vocabulary = MappingProxyType(
    {
        Stage.QUEUED: ("QUEUED", "DISCOVER"),
        Stage.INITIALIZING: ("STARTING", "Query_CBT"),
        Stage.SNAPSHOTTING: ("In Progress", "creating_snapshot"),
        Stage.CONNECTING: ("IN-PROGRESS", "SETTING_UP_NBD"),
        Stage.TRANSFERRING: ("IN_PROGRESS", "TRANSFER"),
        Stage.CLEANING: ("InProgress", "CLEAN-UP"),
        Stage.COMPLETED: ("COMPLETED", "COMPLETED"),
        Stage.FAILED: ("FAILED", "ERROR"),
    }
)
VOCABULARIES: Mapping[Wording, Vocabulary] = MappingProxyType(
    {"plain": PLAIN, "stages": STAGES, "copying": COPYING, "shouting": SHOUTING}
)


def wording_of(job_id: str) -> Wording:
    """Choose a job's wording by its id, so that a run can be repeated."""
    wordings = tuple(VOCABULARIES)
    return wordings[zlib.crc32(job_id.encode()) % len(wordings)]


def truth_meant_by(status: str) -> Literal["running", "completed", "failed"]:
    """Return what a literal status word means for the truth of the world."""
    word = status.casefold().replace(" ", "").replace("_", "").replace("-", "")
    if word in {"completed", "succeeded"}:
        return "completed"
    return "failed" if word in {"failed", "error"} else "running"


def stage_at(percent: float) -> Stage:
    """Return where a running worker stands at a percentage of its life."""
    return next((stage for limit, stage in MILESTONES if percent < limit), Stage.CLEANING)
