"""The demo says that a decision was right only if both its rule and the job's state are."""

import io
from typing import Any

import pytest
from rich.console import Console

from api.demo.demo import _verdict
from api.demo.service import DemoFailed
from api.demo.world import SCENARIOS

STATES = {"running": "replicating", "completed": "completed", "failed": "failed"}
WRONG_RULE: dict[str, Any] = {"decision": {"outcome": "retry", "rule": "unanswered", "basis": None}}


def told(decided: dict[str, Any], final: dict[str, Any]) -> str:
    """Return the verdict on what the table decides, and on the jobs' true states, but for these jobs."""
    right = {job.job_id: {"decision": {"outcome": "…", "rule": job.rule, "basis": None}} for job in SCENARIOS}
    true = {job.job_id: {"state": STATES[job.truth]} for job in SCENARIOS}
    console = Console(file=io.StringIO(), width=130)
    _verdict(console, right | decided, true | final)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_right_decisions_are_all_right() -> None:
    assert f"{len(SCENARIOS)} of {len(SCENARIOS)} right" in told({}, {})


@pytest.mark.parametrize("job", SCENARIOS, ids=lambda job: job.job_id)
def test_a_wrong_rule_alone_and_a_wrong_state_alone_are_each_wrong(job: Any) -> None:
    wrong_state = "failed" if job.truth != "failed" else "completed"

    for decided, final in (({job.job_id: WRONG_RULE}, {}), ({}, {job.job_id: {"state": wrong_state}})):
        with pytest.raises(DemoFailed, match=f"decided wrongly: {job.job_id}$"):
            told(decided, final)
