"""The results of a replay, a what-if and a comparison of runs."""

from dataclasses import dataclass, field

from domain.recovery_run import RecoveryRun


@dataclass(frozen=True, kw_only=True)
class ReplayedDecision:
    """A decision, recorded or made again. Without an outcome, the VMA would be asked again."""

    outcome: str | None
    rule: str | None
    basis: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class ProbeAnswer:
    """The answer of one id to a probe; latency in milliseconds."""

    asked_id: str
    status: str
    http_status: int | None
    latency_ms: float
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One probe of a job. `after` in seconds since the start of the run, `took_ms` in milliseconds."""

    after: float
    status: str
    took_ms: float
    progress_percent: float | None
    answers: tuple[ProbeAnswer, ...]


@dataclass(kw_only=True)
class JobReplay:
    """The probes and the decision of one job in a run; `decided_after` in seconds since its start.

    `identical`: whether the decision, made again from its evidence, equals the recorded one.
    """

    job_id: str
    state_before: str
    cause: str
    probes: list[Probe] = field(default_factory=list)
    decided_after: float | None = None
    recorded: ReplayedDecision | None = None
    recomputed: ReplayedDecision | None = None
    identical: bool | None = None
    state_after: str | None = None
    policy_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """A job with another decision than the recorded one."""

    job_id: str
    run_id: str
    was: ReplayedDecision
    would_be: ReplayedDecision


@dataclass(frozen=True, kw_only=True)
class Phases:
    """Seconds from the start of a run until every job was probed, decided, and, if resumed, polled again.

    Null for what has not happened to every job: the run was interrupted, is still running, or a job ended before it.
    """

    first_round: float | None
    decided: float | None
    proven: float | None


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """A job that two runs decided by different rules; null where a run did not decide it."""

    job_id: str
    a: str | None
    b: str | None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A replayed run. `different` lists the jobs with another decision than the recorded one."""

    run: RecoveryRun
    jobs: list[JobReplay]
    decisions: int
    identical: int
    different: list[Change]
