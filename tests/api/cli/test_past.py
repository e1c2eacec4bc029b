"""What a person finds out about a restart with the command line: what happened, why, and what would have happened."""

import csv
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from api.cli.tables import jobs_table
from tests.api.cli.conftest import complaint
from tests.support.service import PATIENT, ServiceProcess, wait_until

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve what a kill -9 left: a job that runs, one lost at 92 %, one lost at 40 %."""
    with SimulatedVMA() as vma:
        vma.world.add_job("runs", ["disk-1"], progress=41.0, duration=36_000)
        vma.world.add_job("nearly", ["disk-2"], progress=92.0, duration=360_000)
        vma.world.add_job("half", ["disk-3"], progress=40.0, duration=36_000)
        service = ServiceProcess(tmp_path_factory.mktemp("restarted") / "data", vma.url, **PATIENT)
        service.start()
        for job_id, disk in (("runs", "disk-1"), ("nearly", "disk-2"), ("half", "disk-3")):
            service.register(job_id, disk)
            service.wait_for(job_id, vma_status="running")
        service.kill()
        vma.world.remove("nearly")
        vma.world.remove("half")
        service.start()
        wait_until(lambda: [run for run in runs_of(service) if run["jobs"] == 3 and run["status"] == "finished"])
        yield service
        service.close()


def runs_of(service: ServiceProcess) -> list[dict[str, Any]]:
    return service.pages("/api/v1/recovery-runs")


def run_of(service: ServiceProcess) -> str:
    """Return the run that followed the kill."""
    return str(next(run["run_id"] for run in runs_of(service) if run["jobs"] == 3))


def asked(capsys: Capture, service: ServiceProcess, *line: str, code: int = 0) -> Any:
    assert main([*line, "--url", service.url, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def printed(capsys: Capture, service: ServiceProcess, *line: str) -> str:
    assert main([*line, "--url", service.url]) == 0
    return capsys.readouterr().out


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


def test_a_replay_makes_every_decision_again(restarted: ServiceProcess, capsys: Capture) -> None:
    done = asked(capsys, restarted, "replay", run_of(restarted))

    assert (done["decisions"], done["identical"], done["different"]) == (3, 3, [])
    assert {job["job_id"]: job["recorded"]["rule"] for job in done["items"]}["runs"] == "still-running"
    assert "3 decisions replayed: 3 unchanged, 0 changed" in printed(capsys, restarted, "replay", run_of(restarted))


def test_an_exported_run_is_replayed_without_any_service(
    restarted: ServiceProcess, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "restart.ndjson"
    assert main(["replay", run_of(restarted), "--export", str(file), "--url", restarted.url]) == 0
    capsys.readouterr()

    assert main(["replay", str(file), "--json", "--policy", "complete_above_percent=95"]) == 0

    done = json.loads(capsys.readouterr().out)
    assert (done["decisions"], done["identical"]) == (3, 3)
    assert [change["job_id"] for change in done["what_if"]] == ["nearly"]
    assert not (tmp_path / "data").exists()


def test_a_replay_prints_the_run_as_the_api_shows_it_also_of_a_file_and_again(
    restarted: ServiceProcess, tmp_path: Path, capsys: Capture
) -> None:
    run_id, file = run_of(restarted), tmp_path / "restart.ndjson"
    main(["replay", run_id, "--export", str(file), "--url", restarted.url])
    capsys.readouterr()

    printed_runs = [asked(capsys, restarted, "replay", asked_for)["run"] for asked_for in (run_id, str(file), run_id)]

    shown = [
        restarted.get(f"/api/v1/recovery-runs/{run_id}").json(),
        restarted.get(f"/api/v1/recovery-runs/{run_id}/replay").json()["run"],
    ]
    assert printed_runs == [shown[0]] * 3
    assert shown[1] == shown[0]
    assert shown[0]["policy"]


def test_a_rule_that_changed_since_is_found_by_the_replay(
    restarted: ServiceProcess, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "restart.ndjson"
    main(["replay", run_of(restarted), "--export", str(file), "--url", restarted.url])
    # As if another version of the rules had recorded it.
    file.write_text(file.read_text().replace('"rule":"still-running"', '"rule":"lost"'))
    capsys.readouterr()

    assert main(["replay", str(file), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["different"]) == 1
    assert main(["replay", str(file)]) == 1
    written = capsys.readouterr()
    assert "1 of 3 decisions have changed" in written.err
    assert "resume by still-running" in written.out


def test_a_file_that_was_cut_is_not_taken_for_a_smaller_run(
    restarted: ServiceProcess, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "restart.ndjson"
    main(["replay", run_of(restarted), "--export", str(file), "--url", restarted.url])
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))
    capsys.readouterr()

    assert main(["replay", str(file)]) == 2
    assert "export it again" in complaint(capsys)


HEAD = b'{"format":"job-recovery-run/1","events":1}\n'
HOSTILE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.touch(),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 1000),
    "nested too deep": lambda path: path.write_bytes(HEAD + b'{"type":"JobStalled","event":' + b"[" * 100_000),
    "of wrong types": lambda path: path.write_bytes(HEAD + b'{"type":"JobStalled","event":[]}\n'),
    "a directory": lambda path: path.mkdir(),
    "a FIFO that nobody writes": os.mkfifo,
    "a file that cannot be read": lambda path: path.symlink_to("/proc/self/mem"),
    "a line of 200 MB": lambda path: sparse(path, 200_000_000),
}


def sparse(path: Path, size: int) -> None:
    path.write_bytes(HEAD)
    os.truncate(path, size)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_no_run_is_one_line_and_exit_code_2(kind: str, tmp_path: Path, capsys: Capture) -> None:
    HOSTILE[kind](tmp_path / "run-1")

    for name in ("run-1", str(tmp_path / "run-1")):
        assert main(["replay", name]) == 2
        complaint(capsys)


def test_a_line_of_200_mb_is_not_read_into_memory(tmp_path: Path) -> None:
    sparse(tmp_path / "run-1", 200_000_000)
    limit = resource.getrlimit(resource.RLIMIT_AS)
    line = [sys.executable, "-m", "api", "replay", "run-1"]

    done = subprocess.run(  # noqa: S603 - our own program
        line,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (400_000_000, limit[1])),
    )

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "more than 16000000 bytes" in done.stderr


@pytest.mark.parametrize("left", ["link", "file"])
def test_an_export_follows_no_link_and_is_not_held_up_by_what_a_crash_left(
    restarted: ServiceProcess, tmp_path: Path, left: str
) -> None:
    outside, part = tmp_path / "outside", tmp_path / "run.ndjson.part"
    outside.write_text("kept")
    if left == "link":
        part.symlink_to(outside)
    else:
        part.write_text("half")
    line = ["replay", run_of(restarted), "--export", str(tmp_path / "run.ndjson"), "--url", restarted.url]

    assert (main(line), main(line)) == (0, 0)

    assert outside.read_text() == "kept"
    assert main(["replay", str(tmp_path / "run.ndjson")]) == 0
    assert not part.exists()


def test_a_what_if_names_the_decisions_of_a_period_that_would_change(
    restarted: ServiceProcess, capsys: Capture
) -> None:
    stricter = ("what-if", "--policy", "complete_above_percent=95")

    found = asked(capsys, restarted, *stricter)
    before_all = asked(capsys, restarted, *stricter, "--to", "2020-01-01")

    assert [change["job_id"] for change in found["changes"]] == ["nearly"]
    assert before_all["decisions"] == 0
    assert "nearly" in printed(capsys, restarted, *stricter)


def test_a_what_if_over_one_run_has_the_decisions_of_that_run_alone_also_again(
    restarted: ServiceProcess, capsys: Capture
) -> None:
    stricter = ("what-if", "--policy", "complete_above_percent=95")
    run_id, (other, *_) = run_of(restarted), [run["run_id"] for run in runs_of(restarted) if run["jobs"] != 3]

    found = [asked(capsys, restarted, *stricter, "--run", run) for run in (run_id, other, run_id)]

    assert [(one["runs"], one["decisions"], len(one["changes"])) for one in found] == [(1, 3, 1), (0, 0, 0), (1, 3, 1)]
    query = {"complete_above_percent": "95", "run_id": run_id}
    assert found[0] == restarted.get("/api/v1/recovery-runs/what-if", **query).json()


def test_two_runs_are_compared(restarted: ServiceProcess, capsys: Capture) -> None:
    run_id = run_of(restarted)

    found = asked(capsys, restarted, "compare", run_id, run_id)

    assert found["jobs"] == []
    assert "all decided" in printed(capsys, restarted, "compare", run_id, run_id)


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
