"""The words of the VMAs' builds: what each means, and which are none of theirs."""

import re
from collections.abc import Mapping

from domain.vma_status import VMAStatus

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
        ),
        VMAStatus.RUNNING,
    ),
    **dict.fromkeys(("completed", "succeeded"), VMAStatus.COMPLETED),
    **dict.fromkeys(("failed", "error"), VMAStatus.FAILED),
}
"""`status` as the contract lists it, compared without case, spaces, `_` and `-`."""

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


NOT_FOUND_WORDS = re.compile(r"job not found(?:: (?P<id>\S+))?\.?", re.IGNORECASE)
"""How the builds say it: alone, or with the id."""


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
    words = NOT_FOUND_WORDS.fullmatch(text.strip())
    return words is not None and words["id"] in {None, asked_id}
