"""An export whose connection was cut is not taken for a whole one, whatever the connection made of the end."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from tests.support.service import PATIENT, ServiceProcess

Capture = pytest.CaptureFixture[str]


class _Proxy(BaseHTTPRequestHandler):
    """Hands calls on to a service by HTTP/1.0, without a length, and ends the answer after a share of its bytes."""

    def do_GET(self) -> None:
        answer = httpx.get(f"{self.server.real}{self.path}", trust_env=False)  # type: ignore[attr-defined]
        self.send_response(answer.status_code)
        for name in ("Content-Type", "Job-Recovery-Events", "Job-Recovery-Position"):
            if name in answer.headers and self.server.says:  # type: ignore[attr-defined]
                self.send_header(name, answer.headers[name])
        self.end_headers()
        share = self.server.share  # type: ignore[attr-defined]
        self.wfile.write(answer.content[: int(len(answer.content) * share)])

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Serve jobs that ended in different ways."""
    with SimulatedVMA() as vma:
        service = ServiceProcess(tmp_path_factory.mktemp("cut") / "data", vma.url, **PATIENT)
        service.start()
        for n in (1, 2, 3):
            vma.world.add_job(f"job-{n}", [f"disk-{n}"], progress=41.0, duration=36_000)
            service.register(f"job-{n}", f"disk-{n}")
            service.wait_for(f"job-{n}", vma_status="running")
        vma.world.finish("job-1")
        service.wait_for("job-1", state="completed")
        service.post("/api/v1/jobs/job-2/decision", {"outcome": "fail", "who": "mara", "why": "VM deleted"})
        run = service.post("/api/v1/recovery-runs", {}).json()["run_id"]
        service.finished_run(run)
        yield service
        service.close()


@pytest.fixture(scope="module")
def proxy(real: ServiceProcess) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        server.real = real.url  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def url_of(proxy: ThreadingHTTPServer, share: float, *, says: bool = True) -> str:
    """Return the address of a proxy that hands on this share of an answer, and, if it `says` so, how much it has."""
    proxy.share, proxy.says = share, says  # type: ignore[attr-defined]
    return f"http://127.0.0.1:{proxy.server_port}"


def run_of(real: ServiceProcess) -> str:
    return str(real.pages("/api/v1/recovery-runs")[0]["run_id"])


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_export_that_was_cut_ends_with_exit_code_1_and_says_how_much_is_missing(
    real: ServiceProcess, proxy: ThreadingHTTPServer, form: str, capsys: Capture
) -> None:
    line = ["audit", "--export", form, "--job", "job-1"]
    assert main([*line, "--url", real.url]) == 0
    whole = capsys.readouterr().out
    events = len(whole.splitlines()) - (form == "csv")

    for share in (0.0, 0.5, 0.999):
        assert main([*line, "--url", url_of(proxy, share)]) == 1

        written = capsys.readouterr()
        arrived = max(0, written.out.count("\n") - (form == "csv"))
        assert whole.startswith(written.out)
        assert arrived < events
        assert written.err == (
            f"job-recovery: the export is incomplete: {arrived} of {events} events arrived; standard output has only "
            "these. Export again\n"
        )
    assert main([*line, "--url", url_of(proxy, 1.0)]) == 0
    assert capsys.readouterr().out == whole


def test_a_run_that_was_cut_is_in_a_file_that_is_named_and_not_in_the_one_that_was_asked_for(
    real: ServiceProcess, proxy: ThreadingHTTPServer, tmp_path: Path, capsys: Capture
) -> None:
    file, line = tmp_path / "run.ndjson", ["replay", run_of(real), "--export", str(tmp_path / "run.ndjson")]

    assert main([*line, "--url", url_of(proxy, 0.6)]) == 1

    complaint = capsys.readouterr().err
    assert "the export is incomplete: " in complaint
    assert f"they are in {file}.incomplete" in complaint
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("run.")] == ["run.ndjson.incomplete"]
    assert main([*line, "--url", real.url]) == 0
    assert file.read_bytes().startswith((tmp_path / "run.ndjson.incomplete").read_bytes())
    assert main(["replay", run_of(real), "--url", url_of(proxy, 0.6)]) == 1


def test_an_answer_that_does_not_say_how_much_it_has_is_not_taken_for_whole(
    proxy: ThreadingHTTPServer, capsys: Capture
) -> None:
    assert main(["audit", "--export", "ndjson", "--url", url_of(proxy, 1.0, says=False)]) == 1

    assert " of an unknown number of events arrived" in capsys.readouterr().err


def test_the_headers_of_an_export_are_of_its_filter_and_of_a_position_that_has_all_of_it(real: ServiceProcess) -> None:
    for query in ({}, {"type": "JobRegistered"}, {"actor": "mara"}, {"job_id": "nobody"}):
        for form in ("ndjson", "csv"):
            found = real.get("/api/v1/audit/export", format=form, **query)
            lines = found.text.splitlines()[1 if form == "csv" else 0 :]
            assert found.headers["job-recovery-events"] == str(len(lines)), query
    last = real.get("/api/v1/audit/export")
    assert last.headers["job-recovery-position"] == str(json.loads(last.text.splitlines()[-1])["position"])
    run = real.get(f"/api/v1/recovery-runs/{run_of(real)}/export")
    assert run.headers["job-recovery-events"] == str(len(run.text.splitlines()) - 1)


FILTERS = {
    "job": ("job_id", ["job-1", "job-2", "nobody"]),
    "type": ("type", ["JobRegistered", "VMAStatusObserved", "RecoveryDecided", "OperatorDecided"]),
    "outcome": ("outcome", ["resume", "fail"]),
    "state": ("state", ["completed", "failed", "replicating"]),
    "actor": ("actor", ["mara", "local", "job-recovery"]),
    "rule": ("rule", ["operator", "still-running"]),
}


def in_pages(real: ServiceProcess, size: int, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of a filter, read in pages."""
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = real.get("/api/v1/audit", order="oldest", limit=size, **query, **more).json()
        yield from page["items"]
        cursor = page["next_cursor"]


def positions(lines: str) -> list[int]:
    return [json.loads(line)["position"] for line in lines.splitlines()]


def printed(*line: str) -> str:
    """Return what a command prints."""
    out = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(out):
        assert main(line) == 0
    out.seek(0)
    return out.read()


@given(
    chosen=st.dictionaries(st.sampled_from(sorted(FILTERS)), st.sets(st.integers(0, 3), min_size=1), max_size=3),
    size=st.integers(1, 9),
)
@settings(max_examples=15, deadline=None)
def test_pages_export_and_command_line_agree_on_any_filter(
    real: ServiceProcess, chosen: dict[str, set[int]], size: int
) -> None:
    given_values = {
        name: [FILTERS[name][1][n % len(FILTERS[name][1])] for n in numbers] for name, numbers in chosen.items()
    }
    query = {FILTERS[name][0]: values for name, values in given_values.items()}
    options = [part for name, values in given_values.items() for value in values for part in (f"--{name}", value)]
    end = int(real.get("/api/v1/audit/export").headers["job-recovery-position"])
    everything = [event for event in real.pages("/api/v1/audit", order="oldest") if event["position"] <= end]
    expected = [e["position"] for e in everything if all(e[name] in values for name, values in query.items())]

    pages = [event["position"] for event in in_pages(real, size, query)]
    exported = positions(real.get("/api/v1/audit/export", **query).text)
    listed = json.loads(
        printed("audit", "--order", "oldest", "--limit", "100000", "--json", *options, "--url", real.url)
    )
    by_command = positions(printed("audit", "--export", "ndjson", *options, "--url", real.url))

    for found in (pages, exported, [event["position"] for event in listed["items"]], by_command):
        assert [position for position in found if position <= end] == expected
