"""The words of the VMAs' builds: what each means, and which are none of theirs."""

from collections.abc import Mapping

from domain.vma_status import VMAStatus

CANCELLED_WORDS = ("cancelled", "canceled", "aborted", "terminated")
"""They end a job as failed: its worker is gone, and its copy is not complete."""

STATUS_WORDS: dict[str, VMAStatus] = {
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
            # Not in the contract. Each says that a worker is alive, whatever it is doing.
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
    **dict.fromkeys(("failed", "error", *CANCELLED_WORDS), VMAStatus.FAILED),
}
"""`status`, compared without case, spaces, `_` and `-`.

Words that could mean two things are left out, and so are unintelligible: a job that is `stopped` or `halted` may be
continued or not, one that is `done`, `finished` or `closed` may have failed.
"""

PHASE_WORDS: dict[str, VMAStatus] = {
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
"""`phase` where a document has no status. A phase alone never completes a job."""

ALONE, WITH_ID = "job not found", "no active migration found for job"
"""How the builds say that they do not know a job; the second always names the id."""


class Unintelligible(ValueError):
    """A reply that cannot be read with certainty; the message says why."""


def look_up(words: Mapping[str, VMAStatus], word: object, name: str) -> VMAStatus:
    """Return what a word of the vocabulary means; `name` is the field that it stands in.

    Raises:
        Unintelligible: it is none of the vocabulary's.

    """
    if not isinstance(word, str):
        raise Unintelligible(f"{name} is not a word")
    if plain(word) not in words:
        raise Unintelligible(f"unknown {name} {word[:40]!r}")
    return words[plain(word)]


def plain(word: object) -> str:
    """Return a word as builds are compared by; what is no word is the empty one."""
    return word.lower().replace(" ", "").replace("_", "").replace("-", "") if isinstance(word, str) else ""


def is_not_found(asked_id: str, text: str) -> bool:
    """Whether this is a build's way of saying that it does not know the id, and no other id."""
    said = text.strip()
    with_id = {f": {asked_id}", f": {asked_id}."}
    if said[: len(ALONE)].lower() == ALONE:
        return said[len(ALONE) :] in {"", ".", *with_id}
    return said[: len(WITH_ID)].lower() == WITH_ID and said[len(WITH_ID) :] in with_id
