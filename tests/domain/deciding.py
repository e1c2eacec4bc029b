"""Observations, and what the table decides on them."""

from typing import Any

from domain.evidence import Evidence
from domain.recovery_policy import Basis, Decision, Outcome, Policy, Rule, decide
from domain.vma_status import VMAStatus
from tests.support.builders import document, observed

POLICY = Policy()
COMPLETED = document(VMAStatus.COMPLETED, 100.0)
FAILED = document(VMAStatus.FAILED, 40.0, error="disk full")
RUNNING = document(VMAStatus.RUNNING, 41.5)

GONE = observed(VMAStatus.NOT_FOUND, own=VMAStatus.NOT_FOUND)
DOWN = observed(VMAStatus.UNREACHABLE)

HELD: dict[str, Any] = {"duration": 15.0, "probes": 3}


def decided(found: Evidence, policy: Policy = POLICY) -> Decision:
    decision = decide(found, policy)
    assert decision is not None
    return decision


def row(decision: Decision) -> tuple[Outcome, Rule, Basis | None]:
    return decision.outcome, decision.rule, decision.basis
