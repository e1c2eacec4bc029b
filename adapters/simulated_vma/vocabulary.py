"""The vocabularies of the generations of the VMA for the stages of a worker.

Every job uses one of them, and different jobs use different ones, so that a client that reads only one fails the tests.
"""

import zlib
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Literal


class Stage(IntEnum):
    """The stages of a worker, in their order; `FAILED` can follow any."""

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
        """Return whether the worker has ended."""
        return self >= Stage.COMPLETED


MILESTONES = (
    (0.5, Stage.INITIALIZING),
    (1.0, Stage.SNAPSHOTTING),
    (1.5, Stage.CONNECTING),
    (98.5, Stage.TRANSFERRING),
)
"""The percentage at which each stage of a worker ends."""

Wording = Literal["plain", "stages", "copying", "shouting"]
Vocabulary = Mapping[Stage, tuple[str, str]]
"""The `status` and the `phase` (or `stage`) of each stage."""

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
    """Return a job's wording, by its id, so that a run can be repeated."""
    wordings = tuple(VOCABULARIES)
    return wordings[zlib.crc32(job_id.encode()) % len(wordings)]


def truth_of_status(status: str) -> Literal["running", "completed", "failed"]:
    """Return the truth that a status set by hand means."""
    normalized = status.casefold().replace(" ", "").replace("_", "").replace("-", "")
    if normalized in {"completed", "succeeded"}:
        return "completed"
    return "failed" if normalized in {"failed", "error"} else "running"


def stage_at(percent: float) -> Stage:
    """Return the stage of a running worker at a percentage."""
    return next((stage for limit, stage in MILESTONES if percent < limit), Stage.CLEANING)
