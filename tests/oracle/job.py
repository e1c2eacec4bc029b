"""A job as `docs/` describes it, folded from its events: one dictionary per version.

The keys are those of the API, and a few that begin with `_`: they are needed for the fold, and are not shown.
"""

from typing import Any

from tests.oracle.log import Event

Job = dict[str, Any]

CONCLUSIVE = {"running", "completed", "failed"}
OPEN = {"replicating", "recovering", "pending-retry"}
STATE = {"resume": "replicating", "complete": "completed", "fail": "failed", "retry": "pending-retry"}
OUTCOME = {state: outcome for outcome, state in STATE.items()}
WITHOUT_RULE = ("stalled", "contradicted", "guess")
LEAST_COMPLETED = 99.0
"""Percent: below, the figures of a `completed` contradict it."""


def after(job: Job | None, event: Event) -> Job:
    """Return the job after an event."""
    new = _registered(event) if job is None else dict(job)
    if event.type in EVOLVE:
        EVOLVE[event.type](new, event)
    return new | {"version": event.version}


def view(job: Job) -> Job:
    """Return the job as the API shows it, without what is in the service's memory only."""
    reasons = attention(job)
    shown = {name: value for name, value in job.items() if not name.startswith("_")}
    shown["progress_percent"] = round(job["progress_percent"], 2)
    shown["stalled"] = job["stalled_since"] is not None
    shown["disks"] = [_disk(volume_id, job["_disks"].get(volume_id, {})) for volume_id in job["volume_ids"]]
    shown["recovery"] = job["recovery"] | {"last_validated": job["last_contact"]}
    shown["decision"] = job["decision"] and {n: v for n, v in job["decision"].items() if not n.startswith("_")}
    return shown | {"needs_attention": bool(reasons), "attention": reasons}


def attention(job: Job) -> list[str]:
    """Return the reasons of "Needs attention" in docs/operations.md: their names, and of a rule the reason, too."""
    decision = job["decision"]
    reasons = {
        "stalled": job["stalled_since"] is not None,
        "contradicted": job["_contradicted"],
        "guess": is_guess(job),
    }
    if job["state"] in OPEN and decision is not None and decision["outcome"] == "retry":
        then = f"{decision['decided_at'][:19].replace('T', ' ')} UTC"
        reason = f"{decision['rule']}: {decision['reason']} (as of {then})"
        reasons[reason] = decision["_waited"] >= decision["_attention_after"]
    return [reason for reason, holds in reasons.items() if holds]


def is_guess(job: Job) -> bool:
    """Return whether the outcome was inferred and can still be revised."""
    return bool(job["basis"] == "inferred" and not job["_contradicted"])


def is_conclusive(seen: dict[str, Any]) -> bool:
    """Return whether an observation states without doubt how the whole job is."""
    return seen["status"] in CONCLUSIVE and not (
        seen["status"] == "completed" and (seen["covered"] < len(seen["disks"]) or seen["belied_at"] is not None)
    )


def _registered(event: Event) -> Job:
    data = event.data
    return {
        "job_id": event.stream,
        "state": "replicating",
        **{name: data[name] for name in ("vm_name", "vm_context_id", "vma", "volume_ids", "progress_percent")},
        **dict.fromkeys(("phase", "bytes_transferred", "total_bytes", "vma_status", "error", "basis", "decision")),
        **dict.fromkeys(("last_contact", "last_observed_at", "stalled_since", "ended", "ended_at", "run_id")),
        "registered_at": event.recorded_at,
        "recovery": {"attempted": False, "at": None, "method": None, "polling_restarted_at": None},
        "_disks": {},
        "_seen_percent": data["progress_percent"],
        "_contradicted": False,
    }


def _observed(job: Job, event: Event) -> None:
    seen = event.data["observation"]
    _see(job, seen)
    if job["state"] in {"replicating", "pending-retry"} and is_conclusive(seen) and seen["status"] != "running":
        job["state"] = seen["status"]
        why = f"the {seen['said_by']} reported {seen['status']}" + (f": {seen['error']}" if seen["error"] else "")
        _end(job, event, "observed", why)


def _started(job: Job, event: Event) -> None:
    began = {"attempted": True, "at": event.recorded_at, "method": event.data["cause"]}
    job |= {"state": "recovering", "run_id": event.data["run_id"], "recovery": job["recovery"] | began}


def _decided(job: Job, event: Event) -> None:
    _decide(job, event, _recovered(event, job["decision"]))
    if job["state"] == "replicating":
        job["recovery"] = job["recovery"] | {"polling_restarted_at": event.recorded_at}


def _ordered(job: Job, event: Event) -> None:
    job["_contradicted"] = False
    _decide(job, event, _decision(event, rule="operator", reason=event.data["why"], who=event.data["who"]))


def _revised(job: Job, event: Event) -> None:
    state, seen = event.data["to_state"], event.data["observation"]
    _see(job, seen)
    _decide(job, event, _decision(event, outcome=OUTCOME[state], basis="observed", rule="outcome-revised"))
    if state == "replicating" and seen["progress_percent"] is None:
        job["progress_percent"] = job["_seen_percent"]


def _confirmed(job: Job, event: Event) -> None:
    job["basis"] = "observed"
    job["ended"] = job["ended"] | {"basis": "observed"}
    _see(job, event.data["observation"])


def _contradicted(job: Job, _event: Event) -> None:
    job["_contradicted"] = True


def _stalled(job: Job, event: Event) -> None:
    job["stalled_since"] = event.data["since"]


def _moved(job: Job, _event: Event) -> None:
    job["stalled_since"] = None


EVOLVE = {
    "VMAStatusObserved": _observed,
    "RecoveryStarted": _started,
    "RecoveryDecided": _decided,
    "OperatorDecided": _ordered,
    "OutcomeRevised": _revised,
    "OutcomeConfirmed": _confirmed,
    "OutcomeContradicted": _contradicted,
    "JobStalled": _stalled,
    "JobMovedAgain": _moved,
}


def _see(job: Job, seen: dict[str, Any]) -> None:
    """Assign an observation: whatever it is, it was one; figures count if the job's own worker was seen."""
    job |= {"vma_status": seen["status"], "last_observed_at": seen["observed_at"]}
    if seen["status"] not in CONCLUSIVE or (seen["status"] == "completed" and seen["covered"] == 0):
        return
    job |= {"last_contact": seen["observed_at"], "error": seen["error"], "phase": seen["phase"] or job["phase"]}
    if seen["progress_percent"] is not None:
        job["progress_percent"] = seen["progress_percent"]
        least = seen["least_percent"]
        job["_seen_percent"] = seen["progress_percent"] if least is None else least
    if seen["bytes_transferred"] is not None or seen["total_bytes"] is not None:
        job |= {name: seen[name] for name in ("bytes_transferred", "total_bytes")}
    job["_disks"] = job["_disks"] | {disk["volume_id"]: disk for disk in seen["disks"] if _is_statement(disk)}


def _decide(job: Job, event: Event, decision: dict[str, Any]) -> None:
    job |= {"decision": decision, "state": STATE[decision["outcome"]]}
    if job["state"] in OPEN:
        job |= {"basis": None, "ended": None, "ended_at": None}
    else:
        _end(job, event, decision["basis"], decision["reason"])


def _end(job: Job, event: Event, basis: str | None, why: str) -> None:
    """Assign the end: by a rule, by an operator or, without both, by what was observed."""
    decision = {"rule": None, "who": None} if event.type == "VMAStatusObserved" else job["decision"]
    ended = {
        "outcome": OUTCOME[job["state"]],
        "basis": basis,
        "rule": None if decision["who"] else decision["rule"],
        "who": decision["who"],
        "why": why,
        "at": event.recorded_at,
        "version": event.version,
        "position": event.position,
    }
    job |= {"basis": basis, "ended": ended, "ended_at": event.recorded_at, "stalled_since": None}
    if job["state"] == "completed":
        job["progress_percent"] = 100.0


def _decision(event: Event, **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("basis", "run_id", "policy_hash", "who"))
    own = {name: event.data[name] for name in ("outcome", "reason") if name in event.data}
    return nothing | {"decided_at": event.recorded_at, "attempt": 0, "_waited": 0.0} | own | more


def _recovered(event: Event, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return recovery's decision; the waiting of consecutive retries counts together, also over a restart."""
    data = event.data
    waited = before["_waited"] if before is not None and before["outcome"] == "retry" else 0.0
    return _decision(
        event,
        **{name: data[name] for name in ("rule", "basis", "run_id", "policy_hash", "attempt")},
        _waited=max(data["evidence"]["silence"]["unheard_for"], waited),
        _attention_after=data["policy"]["attention_after"],
    )


def _is_statement(disk: dict[str, Any]) -> bool:
    """Return whether a disk's export stated how the disk is, without a contradiction by its own figures."""
    if disk["status"] != "completed":
        return bool(disk["status"] in CONCLUSIVE)
    percent, done, total = disk["progress_percent"], disk["bytes_transferred"], disk["total_bytes"]
    if total and done == 0:
        return False
    if percent is None and done is not None and total:
        percent = 100.0 * done / total
    return percent is None or percent >= LEAST_COMPLETED or (percent == 0 and not total and not done)


def _disk(volume_id: str, known: dict[str, Any]) -> dict[str, Any]:
    names = ("status", "phase", "progress_percent", "bytes_transferred", "total_bytes")
    return {"volume_id": volume_id, **{name: known.get(name) for name in names}}
