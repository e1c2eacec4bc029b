"""Replays on the command line: of a run, of a file, under another policy, and of two runs side by side."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text

from api.cli import past_tables
from api.cli.grid import Grid
from api.cli.main import main
from tests.api.cli.asking import Capture, asked, printed, run_of, runs_of
from tests.api.cli.conftest import complaint
from tests.support.service import ServiceProcess


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
    for job, changed in (("nearly", 1), ("runs", 0)):
        main(["replay", str(file), "--json", "--policy", "complete_above_percent=95", "--job", job])
        of_one = json.loads(capsys.readouterr().out)
        assert ([item["job_id"] for item in of_one["items"]], len(of_one["what_if"])) == ([job], changed)
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
    shown = printed(capsys, restarted, "compare", run_id, run_id)

    assert found["jobs"] == []
    assert found["phases_a"]["decided"] == found["a"]["decided_in"]
    assert "all decided" in shown
    assert shown.endswith("both runs decided every job by the same rule\n")


ONE, OTHER = ({"run_id": name, "jobs": 3} for name in ("run-1", "run-2"))


@pytest.mark.parametrize(
    ("rules_a", "rules_b", "jobs", "says"),
    [
        ({"lost": 3}, {"lost": 3}, [], ["both runs decided every job by the same rule"]),
        (
            {"lost": 1},
            {"lost": 1},
            [],
            [
                "decided by both runs, by the same rule: 1 job(s)",
                "not decided by run-1: 2 of its 3 job(s)\nnot decided by run-2: 2 of its 3 job(s)",
            ],
        ),
        (
            {"lost": 3},
            {"lost": 1},
            [{"job_id": "a", "a": "lost", "b": None}, {"job_id": "b", "a": "lost", "b": None}],
            ["decided by one run only: 2 job(s)\nnot decided by run-2: 2 of its 3 job(s)"],
        ),
        ({"lost": 3}, {"lost": 2, "failed-on-vma": 1}, [{"job_id": "a", "a": "lost", "b": "failed-on-vma"}], []),
    ],
    ids=["all alike", "some alike", "one only", "all, and one otherwise"],
)
def test_a_comparison_names_the_jobs_that_were_not_decided(
    rules_a: dict[str, int], rules_b: dict[str, int], jobs: list[dict[str, str | None]], says: list[str]
) -> None:
    found = {"a": ONE, "b": OTHER, "rules_a": rules_a, "rules_b": rules_b, "jobs": jobs}

    shown = [past_tables.rules_table(found), *past_tables.undecided_text(found)]

    assert [text.plain for text in shown if isinstance(text, Text)] == says
    assert isinstance(shown[0], Grid) == bool(jobs)
