"""What a person finds out about the past with the command line: what happened, when, and why."""

import csv
import json

import pytest

from api.cli.main import main
from api.cli.tables import jobs_table
from tests.api.cli.asking import Capture, asked, printed, run_of
from tests.api.cli.conftest import complaint
from tests.support.service import ServiceProcess


def test_the_audit_trail_is_searched_by_what_people_know(restarted: ServiceProcess, capsys: Capture) -> None:
    decided = asked(capsys, restarted, "audit", "--type", "RecoveryDecided", "--run", run_of(restarted))["items"]
    lost = asked(capsys, restarted, "audit", "--outcome", "complete", "--job", "nearly")["items"]
    oldest = asked(capsys, restarted, "audit", "--order", "oldest", "--limit", "2")["items"]

    assert sorted(entry["job_id"] for entry in decided) == ["half", "nearly", "runs"]
    assert [entry["basis"] for entry in lost if entry["type"] == "RecoveryDecided"] == ["inferred"]
    assert [entry["position"] for entry in oldest] == [1, 2]
    assert "RecoveryDecided" in printed(capsys, restarted, "audit", "--job", "nearly")


def test_an_export_holds_every_event_once(restarted: ServiceProcess, capsys: Capture) -> None:
    assert main(["audit", "--export", "ndjson", "--url", restarted.url]) == 0
    exported = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["audit", "--export", "csv", "--url", restarted.url]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))

    positions = [entry["position"] for entry in exported]
    assert positions == list(range(1, len(positions) + 1))
    assert [int(row["position"]) for row in rows][: len(positions)] == positions


def test_a_decision_is_followed_back_to_the_run_that_made_it(restarted: ServiceProcess, capsys: Capture) -> None:
    decided = asked(capsys, restarted, "audit", "--type", "RecoveryDecided", "--job", "nearly")["items"][0]

    chain = asked(capsys, restarted, "audit", "--chain", str(decided["position"]))

    kinds = [entry["type"] for entry in chain["items"]]
    assert (kinds[0], kinds[-1]) == ("RecoveryDecided", "RecoveryRunStarted")
    assert "VMAStatusObserved" in kinds
    assert "origin" in printed(capsys, restarted, "audit", "--chain", str(decided["position"]))


def test_a_job_is_seen_as_it_was(restarted: ServiceProcess, capsys: Capture) -> None:
    first = asked(capsys, restarted, "job", "nearly", "--version", "1")
    registered = first["registered_at"]

    then = asked(capsys, restarted, "jobs", "--at", registered)["items"]
    hindsight = printed(capsys, restarted, "job", "runs", "--at", "2100-01-01", "--as-known", "2100-01-02")

    assert (first["state"], first["vma_status"]) == ("replicating", None)
    assert {job["job_id"]: job["version"] for job in then}["nearly"] == 1
    assert "half" not in {job["job_id"] for job in then}
    assert "believed then: replicating" in hindsight
    assert "this moment is still to come: the answer is of now, position " in hindsight


def test_a_job_says_up_to_what_it_is_known_and_only_if_that_was_asked_for(
    restarted: ServiceProcess, capsys: Capture
) -> None:
    first = asked(capsys, restarted, "job", "nearly", "--version", "1")
    position, registered = first["as_of"]["position"], first["registered_at"]

    then = printed(capsys, restarted, "job", "nearly", "--version", "1", "--as-known", f"position:{position}")
    ahead = printed(capsys, restarted, "job", "nearly", "--version", "1", "--as-known", "2100-01-01")

    assert f"known up to position {position}, {registered}\n" in then
    assert "this moment is still to come: the answer knows what is known now, position " in ahead
    assert "known up to" not in printed(capsys, restarted, "job", "nearly", "--version", "1")
    assert "as_known" not in then


def test_a_job_is_shown_as_it_is_known_without_another_moment_like_by_the_api(
    restarted: ServiceProcess, capsys: Capture
) -> None:
    position = asked(capsys, restarted, "job", "nearly", "--version", "2")["as_of"]["position"]

    shown = asked(capsys, restarted, "job", "nearly", "--as-known", f"position:{position}")

    answered = restarted.get("/api/v1/jobs/nearly", as_known=f"position:{position}").json()
    assert shown == answered
    assert (shown["version"], shown["as_known"], shown["hindsight"] is not None) == (2, shown["as_of"], True)


def test_the_list_of_jobs_shows_how_a_job_ended_and_of_an_open_one_the_last_decision() -> None:
    decision = {"rule": "still-running", "basis": "observed"}
    ends = {
        "observed": {"rule": None, "who": None, "basis": "observed"},
        "lost, inferred": {"rule": "lost", "who": None, "basis": "inferred"},
        "operator": {"rule": None, "who": "mara", "basis": None},
    }
    job = {"job_id": "j", "state": "completed", "progress_percent": 100.0, "vma_status": None, "vm_name": "vm"}
    common = {**job, "decision": decision, "attention": [], "basis": "observed"}

    shown = [
        jobs_table([{**common, "ended": ended, "basis": ended["basis"]}]).drawn(250).plain for ended in ends.values()
    ]
    still_open = jobs_table([{**common, "ended": None, "basis": None}]).drawn(250).plain

    assert [said in table for said, table in zip(ends, shown, strict=True)] == [True] * 3
    assert not any("still-running" in table for table in shown)
    assert "still-running, observed" in still_open


def test_a_position_is_the_exact_form_of_a_time(restarted: ServiceProcess, capsys: Capture) -> None:
    first = asked(capsys, restarted, "job", "nearly", "--version", "1")
    position, time = first["as_of"]["position"], first["registered_at"]

    by_position = asked(capsys, restarted, "job", "nearly", "--position", str(position))
    diff = asked(capsys, restarted, "diff", "nearly", f"position:{position}", "2100-01-01")

    assert by_position == first
    assert first["as_of"] == {"position": position, "time": time, "is_future": False}
    assert (diff["from_version"], diff["from_as_of"]) == (1, first["as_of"])
    assert diff["to_as_of"]["is_future"]
    assert f"as of position {position}, {time}" in printed(capsys, restarted, "jobs", "--position", str(position))
    assert "as of position 0\n" in printed(capsys, restarted, "jobs", "--position", "0")
    assert "still to come" in printed(capsys, restarted, "jobs", "--position", "999999")
    assert "still to come" in printed(capsys, restarted, "diff", "nearly", "1", "2100-01-01")
    assert "as of" not in printed(capsys, restarted, "jobs")


def test_a_period_from_a_day_to_the_same_day_is_that_day(restarted: ServiceProcess, capsys: Capture) -> None:
    everything = asked(capsys, restarted, "audit")["items"]
    day = everything[-1]["recorded_at"][:10]

    found = asked(capsys, restarted, "audit", "--from", day, "--to", day)["items"]
    decided = asked(capsys, restarted, "what-if", "--from", day, "--to", day)["decisions"]

    of_the_day = [entry["position"] for entry in everything if entry["recorded_at"].startswith(day)]
    assert [entry["position"] for entry in found][-len(of_the_day) :] == of_the_day
    assert decided > 0


def test_a_job_is_shown_without_the_fields_that_have_no_value(restarted: ServiceProcess, capsys: Capture) -> None:
    shown = printed(capsys, restarted, "job", "nearly", "--version", "1")

    assert "registered_at" in shown
    assert "disk-2" in shown
    assert "decision" not in shown


def test_a_diff_names_what_changed_and_by_which_events(restarted: ServiceProcess, capsys: Capture) -> None:
    last = asked(capsys, restarted, "job", "nearly")["version"]

    found = asked(capsys, restarted, "diff", "nearly", "1", str(last))

    changed = {change["field"]: (change["before"], change["after"]) for change in found["changes"]}
    assert changed["state"] == ("replicating", "completed")
    assert len(found["events"]) == last - 1
    shown = printed(capsys, restarted, "diff", "nearly", "1", str(last))
    assert "by these events" in shown
    assert "not seen -" in shown
    assert "volume_id" not in shown


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["replay", "run/../1"], "neither a file nor the id of a run"),
        (["replay", "nothing.ndjson", "--policy", "complete_above_percent"], "name=value"),
        (["replay", "x", "--policy", "colour=3"], "colour"),
        (["replay", "x", "--policy", "complete_above_percent=much"], "policy"),
        (["job", "runs", "--position", "-1"], "--position"),
        (["audit", "--export", "csv", "--json"], "--json cannot be used with --export: it would have no effect"),
        (["audit", "--export", "csv", "--json", "--limit", "3"], "--limit, --json cannot be used with --export"),
        (
            ["replay", "run-1", "--export", "f", "--json"],
            "--json cannot be used with --export: it would have no effect",
        ),
        (["audit", "--limit", "0"], "--limit"),
        (["audit", "--limit", "9" * 30], "--limit"),
        (["what-if", "--policy", "foo=1"], "no number 'foo'; there are: complete_above_percent"),
        (["replay", "a" * 300], "neither a file nor the id of a run"),
        (["replay", "run-1", "--export", "a" * 300], "cannot be written"),
    ],
)
def test_what_cannot_be_asked_is_exit_code_2(line: list[str], says: str, capsys: Capture) -> None:
    assert main(line) == 2
    assert says in complaint(capsys)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (["audit", "--rule", "none-of-ours"], 2, "rule"),
        (["jobs", "--at", "yesterday"], 2, "at"),
        (["jobs", "--at", "2100-01-01", "--position", "1"], 2, "at and position both name a moment"),
        (["job", "runs", "--version", "1", "--position", "1"], 2, "version and position both name a moment"),
        (["diff", "runs", "1", "999"], 4, "no version 999"),
        (["replay", "run-nowhere"], 4, "run-nowhere"),
        (["audit", "--chain", "999999"], 4, "999999"),
        (["what-if", "--run", "run-nowhere"], 4, "there is no recovery run run-nowhere"),
        (["what-if", "--policy", "complete_above_percent=101"], 2, "complete_above_percent"),
    ],
)
def test_what_the_service_refuses_is_one_line(
    restarted: ServiceProcess, line: list[str], code: int, says: str, capsys: Capture
) -> None:
    assert main([*line, "--url", restarted.url]) == code
    assert says in complaint(capsys)
