"""Every version decides a recorded run identically; another policy changes exactly the expected decisions."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.errors import InvalidInput
from domain.events import Event, RecoveryDecided
from domain.recovery_policy import Basis, Outcome, Rule
from projections.replay import run_file
from projections.replay.replay import BOUNDS, compare, phases, policy_changes, replay, what_if
from projections.replay.results import Phases, ReplayedDecision

CORPUS = sorted((Path(__file__).parents[2] / "corpus").glob("*.ndjson"))
REWORDED = {"not-asked", "unanswered", "unintelligible", "unreachable-recent", "vma-amnesia"}
"""Rules whose reason has another text than in the corpus; their decision is the same."""

EVERY_KIND = next(path for path in CORPUS if path.stem == "restart-of-every-kind")


def events_of(path: Path) -> list[Event]:
    with path.open("rb") as lines:
        return list(run_file.read(lines))


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_every_recorded_run_is_decided_again_identically(path: Path) -> None:
    done = replay(events_of(path))

    assert [change for change in done.different if ruling(change.was) != ruling(change.would_be)] == []
    assert {change.was.rule for change in done.different} <= REWORDED
    assert done.identical + len(done.different) == done.decisions == done.run.jobs == len(done.jobs)
    assert all(job.probes and job.state_after for job in done.jobs)


def ruling(made: ReplayedDecision) -> tuple[str | None, str | None, str | None]:
    return made.outcome, made.rule, made.basis


def test_a_replay_shows_the_run_in_the_order_in_which_it_happened() -> None:
    done = replay(events_of(EVERY_KIND))
    lost = next(job for job in done.jobs if job.recorded and job.recorded.rule == "lost")

    assert (lost.state_before, lost.cause, lost.state_after) == ("replicating", "restart", "failed")
    assert [probe.status for probe in lost.probes] == ["not_found"] * 3
    assert sorted(probe.after for probe in lost.probes) == [probe.after for probe in lost.probes]
    assert lost.probes[0].answers[0].asked_id == f"migration-vol-disk-{lost.job_id}"
    assert (lost.decided_after or 0) >= lost.probes[-1].after
    took = phases(done)
    assert 0 < (took.first_round or 0) <= (took.decided or 0) <= (took.proven or 0)


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_a_finished_run_has_asked_and_decided_every_job_and_the_figures_are_its_own(path: Path) -> None:
    done = replay(events_of(path))

    took = phases(done)

    assert took.first_round == max(job.probes[0].after for job in done.jobs)
    assert (took.decided, took.proven) == (done.run.totals.decided_in, done.run.totals.verified_in)


def test_a_run_that_has_not_asked_every_job_has_no_phase_that_ended() -> None:
    known = [event for event in events_of(EVERY_KIND) if event.topic != "RecoveryRunFinished"]
    first = next(n for n, event in enumerate(known) if isinstance(event, RecoveryDecided))

    part = replay(known[: first + 1])

    assert (part.run.status, part.decisions) == ("running", 1)
    assert phases(part) == Phases(first_round=None, decided=None, proven=None)


def test_a_run_that_has_asked_every_job_and_not_decided_every_one_has_its_first_round_only() -> None:
    events = events_of(EVERY_KIND)
    known = [event for event in events if event.topic != "RecoveryRunFinished"]
    last = max(n for n, event in enumerate(known) if isinstance(event, RecoveryDecided))

    took = phases(replay(known[:last] + known[last + 1 :]))

    assert took == Phases(first_round=phases(replay(events)).first_round, decided=None, proven=None)


def test_a_higher_limit_changes_exactly_the_jobs_between_both_limits() -> None:
    events = events_of(EVERY_KIND)
    gone = [e for e in events if isinstance(e, RecoveryDecided) and e.rule.value in {"gone-near-end", "lost"}]
    between = {e.originator_id for e in gone if 90 < e.evidence.least_progress <= 95}

    changes = what_if(events, {"complete_above_percent": 95.0})

    assert between
    assert {change.job_id for change in changes} == between
    for change in changes:
        assert (change.was.rule, change.would_be.rule, change.would_be.outcome) == ("gone-near-end", "lost", "fail")
        assert "not above 95 %" in change.would_be.reason


def test_under_a_policy_with_a_longer_window_there_is_no_decision_yet() -> None:
    events = events_of(EVERY_KIND)

    changes = what_if(events, {"confirmation_window": 60.0})

    assert {change.was.rule for change in changes} == {"lost", "gone-near-end"}
    assert {(change.would_be.outcome, change.would_be.rule) for change in changes} == {(None, None)}


def test_the_same_policy_changes_nothing() -> None:
    assert what_if(events_of(EVERY_KIND), {"complete_above_percent": 90.0}) == []


def test_a_decision_that_the_code_makes_differently_now_is_listed() -> None:
    """One recorded decision does not follow from its evidence, as if the rule had changed since."""
    events = events_of(EVERY_KIND)
    n = next(n for n, e in enumerate(events) if isinstance(e, RecoveryDecided) and e.rule.value == "lost")
    decided = events[n]
    assert isinstance(decided, RecoveryDecided)
    changed = msgspec.structs.replace(decided.evidence, progress_percent=99.0, disks=())
    events[n] = msgspec.structs.replace(decided, evidence=changed)

    done = replay(events)

    [different] = [change for change in done.different if change.was.rule not in REWORDED]
    assert different.job_id == decided.originator_id
    assert (different.was.rule, different.would_be.rule) == ("lost", "gone-near-end")
    assert done.identical + len(done.different) == done.decisions


@pytest.mark.parametrize(
    "recorded",
    [
        {"outcome": Outcome.COMPLETE},
        {"rule": Rule.UNREACHABLE_TOO_LONG},
        {"basis": Basis.OBSERVED},
    ],
    ids=["outcome", "rule", "basis"],
)
def test_a_what_if_lists_a_decision_that_differs_in_one_thing_alone_and_no_other(recorded: dict[str, Any]) -> None:
    """One decision was recorded otherwise than the same policy decides it now."""
    events = events_of(EVERY_KIND)
    n = next(n for n, e in enumerate(events) if isinstance(e, RecoveryDecided) and e.rule is Rule.LOST)
    events[n] = msgspec.structs.replace(events[n], **recorded)

    [change] = what_if(events, {"complete_above_percent": 90.0})

    assert change.job_id == events[n].originator_id
    assert (change.would_be.outcome, change.would_be.rule, change.would_be.basis) == ("fail", "lost", "inferred")
    [name] = recorded
    assert getattr(change.was, name) == recorded[name].value


def test_a_comparison_of_two_runs_lists_the_jobs_with_different_rules() -> None:
    one, other = (replay(events_of(path)) for path in CORPUS)

    different = {change.job_id: (change.a, change.b) for change in compare(one, other)}

    assert different["job-001"] == ("failed-on-vma", "vma-amnesia")
    assert different["job-095"][1] is None
    assert compare(one, one) == []


def test_a_written_run_is_read_back_unchanged() -> None:
    events = events_of(EVERY_KIND)

    assert list(run_file.read(run_file.write(events))) == events


@pytest.mark.parametrize(("missing", "says"), [(1, "the file has 1 of the 2"), (-1, "the file has 3 of the 2")])
def test_a_file_with_fewer_or_more_events_than_its_run_is_refused(missing: int, says: str) -> None:
    events = events_of(EVERY_KIND)
    head, *_ = run_file.write(events[:2])
    _, *lines = run_file.write(events[: 2 - missing])

    with pytest.raises(InvalidInput, match=says):
        list(run_file.read([head, *lines]))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1: this is not an exported run"),
        (b"{}\n", "line 1: this is not an exported run"),
        (b"<html>\n", "line 1: this is not an exported run"),
        (b'{"format":"job-recovery-run/1","events":0}\n', "its start is missing"),
        (b'{"format":"job-recovery-run/1","events":3}\n', "0 of the 3 events"),
        (
            b'{"format":"job-recovery-run/1"}\n{"type":"JobTeleported","event":{}}\n',
            "line 2: this version does not know the",
        ),
        (b'{"format":"job-recovery-run/1"}\n{"type":"JobStalled","event":{}}\n', "line 2 of the file cannot be read"),
        (b'{"format":"job-recovery-run/1"}\n\xff\n', "line 2 of the file cannot be read"),
        (b'{"format":"job-recovery-run/1","x":' + b"[" * 100_000, "line 1: this is not an exported run"),
        (b'{"format":"job-recovery-run/1"}\n{"type":"JobStalled","event":' + b"[" * 100_000, "line 2 .* depth"),
        (b'{"format":"job-recovery-run/1"}\n' + b" " * (run_file.MAX_BYTES + 1), "line 2 .* more than 16000000 bytes"),
    ],
)
def test_an_invalid_file_is_refused_with_the_line(content: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        replay(run_file.read(content.splitlines(keepends=True)))


@pytest.mark.parametrize(
    "asked",
    [
        {"colour": "red"},
        {"complete_above_percent": "much"},
        {"unreachable_timeout": "nan"},
        {"unreachable_grace": "inf"},
        *({name: str(least - 1)} for name, (least, _) in BOUNDS.items()),
        *({name: str(most + 1)} for name, (_, most) in BOUNDS.items() if most is not None),
    ],
)
def test_an_invalid_policy_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="policy: "):
        policy_changes(asked)


def test_a_policy_is_read_from_text() -> None:
    assert policy_changes({"complete_above_percent": "95"}) == {"complete_above_percent": 95.0}
    for name, (least, most) in BOUNDS.items():
        for value in (least, most or 10**9):
            assert policy_changes({name: str(value)}) == {name: value}


@pytest.mark.parametrize("field", ["recorded_at", "observed_at", "decided_at"])
def test_a_time_without_a_zone_is_refused_in_every_field(field: str) -> None:
    lines = list(run_file.write(events_of(EVERY_KIND)))
    n = next(n for n, line in enumerate(lines) if f'"{field}":'.encode() in line)
    lines[n] = re.sub(rb'("%s":"[^"]*)Z"' % field.encode(), rb'\1"', lines[n], count=1)

    with pytest.raises(InvalidInput, match=f"line {n + 1} of the file cannot be read: a time has no zone"):
        list(run_file.read(lines))
