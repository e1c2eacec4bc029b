"""Every table shows whole ids on a terminal of 80 columns and in a pipe, and says when there is more."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.support.service import PATIENT, ServiceProcess, wait_until

Capture = pytest.CaptureFixture[str]

JOB = "ctx-PhilB Test machine-20250909-113839"
OTHER = "job-20251003-140000-abc123"
THEN = "2100-01-01"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve two jobs after a restart; one was lost at 92 %."""
    with SimulatedVMA() as vma:
        service = ServiceProcess(tmp_path_factory.mktemp("narrow") / "data", vma.url, **PATIENT)
        service.start()
        for job_id, progress in ((JOB, 41.0), (OTHER, 92.0)):
            vma.world.add_job(job_id, [f"disk-{job_id}"], progress=progress, duration=360_000)
            service.register(job_id, f"disk-{job_id}", vm_context_id=f"VM {job_id}")
            service.wait_for(job_id, vma_status="running")
        service.kill()
        vma.world.remove(OTHER)
        service.start()
        wait_until(lambda: [run for run in service.pages("/api/v1/recovery-runs") if finished(run)])
        yield service
        service.close()


def finished(run: dict[str, object]) -> bool:
    return run["jobs"] == 2 and run["status"] == "finished"


def run_of(service: ServiceProcess) -> str:
    return str(next(run["run_id"] for run in service.pages("/api/v1/recovery-runs") if run["jobs"] == 2))


def head_of(service: ServiceProcess) -> int:
    return int(service.get("/api/v1/audit", limit=1).json()["items"][0]["position"])


def decided(service: ServiceProcess) -> str:
    query = {"type": "RecoveryDecided", "job_id": OTHER}
    return str(service.get("/api/v1/audit", **query).json()["items"][0]["position"])


@pytest.mark.parametrize("columns", ["80", "40"])
@pytest.mark.parametrize(
    ("line", "ids"),
    [
        (["jobs"], [JOB, OTHER]),
        (["job", JOB], [JOB, f"VM {JOB}"]),
        (["events", OTHER], ["RUN"]),
        (["runs"], ["RUN"]),
        (["audit"], [JOB, OTHER, "RUN"]),
        (["audit", "--chain", "DECIDED"], [OTHER, "RUN"]),
        (["diff", OTHER, "1", "2"], [OTHER]),
        (["replay", "RUN"], ["RUN", JOB, OTHER]),
        (["what-if", "--policy", "complete_above_percent=95"], [OTHER, "RUN"]),
        (["compare", "RUN", "RUN"], ["RUN"]),
        (["recover", "--dry-run"], [JOB]),
    ],
    ids=lambda value: value[0],
)
def test_ids_are_whole(
    served: ServiceProcess,
    line: list[str],
    ids: list[str],
    columns: str,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    known = {"RUN": run_of(served), "DECIDED": decided(served)}

    assert main([*(known.get(word, word) for word in line), "--url", served.url]) == 0

    shown = capsys.readouterr().out.splitlines()
    for wanted in ids:
        assert any(known.get(wanted, wanted) in row for row in shown), wanted


def test_a_pipe_gets_a_whole_row_in_each_line(
    served: ServiceProcess, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")

    assert main(["jobs", "--url", served.url]) == 0

    [row] = [row for row in capsys.readouterr().out.splitlines() if OTHER in row]
    assert "completed" in row
    assert f"vm-of-{OTHER}" in row


@pytest.mark.parametrize(
    "line", [["jobs"], ["contexts"], ["events", OTHER], ["audit"], ["runs"]], ids=lambda line: line[0]
)
def test_a_list_ends_at_its_limit_and_says_so(served: ServiceProcess, line: list[str], capsys: Capture) -> None:
    asked = [*line, "--limit", "1", "--url", served.url]

    assert main(asked) == 0
    assert "1 shown, and there are more: use --limit 10" in capsys.readouterr().err
    assert main([*asked, "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert len(page["items"]) == 1
    assert page["next_cursor"]


def test_a_whole_list_says_nothing_of_more(served: ServiceProcess, capsys: Capture) -> None:
    assert main(["events", OTHER, "--url", served.url]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "path", "query"),
    [
        (["jobs", "--state", "completed"], "jobs", {"state": "completed"}),
        (["jobs", "--needs-attention"], "jobs", {"needs_attention": "true"}),
        (["job", OTHER], f"jobs/{OTHER}", {}),
        (["job", OTHER, "--at", THEN, "--as-known", THEN], f"jobs/{OTHER}", {"at": THEN, "as_known": THEN}),
        (["events", OTHER], f"jobs/{OTHER}/events", {}),
        (["runs"], "recovery-runs", {}),
        (["audit", "--job", OTHER], "audit", {"job_id": OTHER}),
        (["diff", OTHER, "1", "2"], f"jobs/{OTHER}/diff", {"from": 1, "to": 2}),
        (["what-if", "--policy", "complete_above_percent=95"], "recovery-runs/what-if", {"complete_above_percent": 95}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_json_is_the_document_of_the_api(
    served: ServiceProcess, line: list[str], path: str, query: dict[str, Any], capsys: Capture
) -> None:
    head, shown, answer = -1, None, None
    # Of one moment: a job that is polled has an observation recorded once a minute.
    while head != (head := head_of(served)):
        assert main([*line, "--json", "--url", served.url]) == 0
        shown = json.loads(capsys.readouterr().out)
        answer = served.get(f"/api/v1/{path}", **query).json()

    assert shown == answer


@pytest.mark.parametrize("line", [["jobs"], ["jobs", "--json"], ["audit", "--export", "ndjson"]], ids=" ".join)
def test_a_disk_that_is_full_is_one_line(served: ServiceProcess, line: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "api", *line, "--url", served.url],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.stderr == "job-recovery: standard output cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_letters_that_an_encoding_lacks_are_escaped(served: ServiceProcess) -> None:
    served.register("job-9", "disk-9", vm_name="größe 日本")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "api", "job", "job-9", "--url", served.url],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=30,
        check=True,
    )

    assert "größe".encode("latin-1") + rb" \u65e5\u672c" in done.stdout


@pytest.mark.parametrize("line", [["audit"], ["audit", "--export", "ndjson"], ["--help"]], ids=" ".join)
def test_a_reader_that_goes_away_is_no_error(served: ServiceProcess, line: list[str]) -> None:
    command = [sys.executable, "-m", "api", *line, *([] if line == ["--help"] else ["--url", served.url])]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as shown:
        assert shown.stdout
        assert shown.stderr
        shown.stdout.close()

        assert (shown.stderr.read(), shown.wait(30)) == (b"", 0)
