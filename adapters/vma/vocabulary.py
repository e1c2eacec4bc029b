"""The vocabulary of all builds of the VMA: the meaning of each status and phase."""

from collections.abc import Mapping

from domain.vma_status import VMAStatus

CANCELLED = ("cancelled", "canceled", "aborted", "terminated")
"""Statuses that end a job as failed: its worker is gone, and its copy is not complete."""

STATUSES: dict[str, VMAStatus] = {
    **dict.fromkeys(
        (
            "starting",
            "running",
            "inprogress",
            "pending",
            "queued",
            "preparing",
            "snapshotting",
            "streaming",
            "finalizing",
            "transferring",
            # Not in the contract. Each means that a worker is alive.
            "active",
            "scheduled",
            "waiting",
            "initializing",
            "initialising",
            "connecting",
            "reconnecting",
            "syncing",
            "synchronizing",
            "replicating",
            "copying",
            "processing",
            "verifying",
            "validating",
            "finalising",
            "finishing",
            "completing",
            "paused",
            "pausing",
            "suspended",
            "suspending",
            "resuming",
            "resumed",
            "retrying",
            "cancelling",
            "canceling",
            "aborting",
            "terminating",
            "stopping",
        ),
        VMAStatus.RUNNING,
    ),
    **dict.fromkeys(("completed", "succeeded"), VMAStatus.COMPLETED),
    **dict.fromkeys(("failed", "error", *CANCELLED), VMAStatus.FAILED),
}
"""The meaning of `status`, compared without case, spaces, `_` and `-`.

Ambiguous ones are missing, and so are unintelligible: a job that is `stopped` or `halted` may continue or not; one that
is `done`, `finished` or `closed` may have failed.
"""

PHASES: dict[str, VMAStatus] = {
    **dict.fromkeys(
        (
            "initializing",
            "creatingsnapshot",
            "snapshotcreation",
            "settingupnbd",
            "preparingmigration",
            "discover",
            "enablecbt",
            "querycbt",
            "snapshot",
            "preparevolumes",
            "startexports",
            "transfer",
            "copyingdata",
            "finalize",
            "cleanup",
        ),
        VMAStatus.RUNNING,
    ),
    "error": VMAStatus.FAILED,
}
"""The meaning of `phase` in a document without a status. A phase alone never completes a job."""

NOT_FOUND, NO_MIGRATION = "job not found", "no active migration found for job"
"""The answers of the builds about an unknown job; the second always names the id."""


class Unintelligible(ValueError):
    """A reply that cannot be read with certainty; the message says why."""


def look_up(meanings: Mapping[str, VMAStatus], value: object, field: str) -> VMAStatus:
    """Return the meaning of a field's value.

    Raises:
        Unintelligible: it is not in the vocabulary.

    """
    if not isinstance(value, str):
        raise Unintelligible(f"{field} is not a text")
    if normalized(value) not in meanings:
        raise Unintelligible(f"unknown {field} {value[:40]!r}")
    return meanings[normalized(value)]


def normalized(value: object) -> str:
    """Return a text without case, spaces, `_` and `-`; empty if it is not a text."""
    return value.lower().replace(" ", "").replace("_", "").replace("-", "") if isinstance(value, str) else ""


def is_not_found(asked_id: str, text: str) -> bool:
    """Return whether a build states by this text that it does not know this very id."""
    stated = text.strip()
    with_id = {f": {asked_id}", f": {asked_id}."}
    if stated[: len(NOT_FOUND)].lower() == NOT_FOUND:
        return stated[len(NOT_FOUND) :] in {"", ".", *with_id}
    return stated[: len(NO_MIGRATION)].lower() == NO_MIGRATION and stated[len(NO_MIGRATION) :] in with_id
