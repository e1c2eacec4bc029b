"""What answers at once: help, version, typos; and what a command does about a service that does not answer."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from adapters.tokens import Scope
from api.cli.arguments import top_parser
from api.cli.main import main
from tests.api.cli.conftest import complaint
from tests.support.answering import answering

Capture = pytest.CaptureFixture[str]

LOADED = """
import sys
from api.__main__ import run

sys.argv[0] = "job-recovery"
try:
    run()
except SystemExit:
    pass
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
SLOW = {"httpx", "rich", "pydantic", "msgspec", "fastapi", "sqlalchemy", "uvicorn", "aiohttp", "statemachine"}
SERVER = {"fastapi", "uvicorn", "sqlalchemy", "aiohttp", "opentelemetry", "structlog", "eventsourcing"}


def loaded_by(*line: str) -> set[str]:
    """Return the packages that a command imports."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", LOADED, *line], capture_output=True, text=True, timeout=30, check=False
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["jobs", "--help"], ["jbos"], ["jobs", "--limt", "3"]])
def test_help_and_typos_import_nothing_that_is_slow(line: list[str]) -> None:
    assert loaded_by(*line) & SLOW == set()


@pytest.mark.parametrize("line", [["jobs"], ["runs"], ["audit"], ["decide", "j", "fail", "--why", "w", "--who", "m"]])
def test_commands_that_ask_a_service_do_not_import_one(line: list[str]) -> None:
    loaded = loaded_by(*line)

    assert "httpx" in loaded
    assert loaded & SERVER == set()


def test_the_version_is_that_of_the_distribution(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert end.value.code == 0
    assert capsys.readouterr().out == f"job-recovery {version('job-recovery')}\n"


def test_every_command_can_be_run(capsys: Capture) -> None:
    _, commands = top_parser("", None)
    for name, command in commands.choices.items():
        with pytest.raises(SystemExit):
            main([name, "--help"])
        function = command.get_default("function") or "api.cli.tokens.list_all"
        module, _, attribute = function.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[attribute]), attribute)), name


def test_the_one_document_that_is_not_the_apis_is_told_by_the_help_of_its_command_alone(capsys: Capture) -> None:
    _, commands = top_parser("", None)
    told: dict[str, str] = {}
    for name in commands.choices:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        told[name] = " ".join(capsys.readouterr().out.split())

    exceptional = [
        name for name, text in told.items() if "`run` and `decisions`, which no single answer of the API has" in text
    ]
    assert exceptional == ["recover"]
    assert "print the API's JSON document instead of a table" in told["jobs"]


@pytest.mark.parametrize("scope", list(Scope))
def test_every_scope_can_be_given(scope: Scope) -> None:
    assert main(["token", "create", "mara", "--scope", scope.value]) == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["jbos"], "unknown command 'jbos': did you mean 'jobs'?"),
        (["xyzzy"], "unknown command 'xyzzy': choose from serve,"),
        (["token", "lst"], "unknown action 'lst': did you mean 'list'?"),
        (["jobs", "--limt", "3"], "unknown argument '--limt': did you mean '--limit'?"),
        (["job", "job-1", "job-2"], "unknown argument 'job-2'"),
        (["decide", "job-1", "compleet", "--why", "x"], "did you mean 'complete'?"),
        (["jobs", "--limit", "0"], "--limit: must be a whole number from 1 to"),
        (["jobs", "--limit", "many"], "--limit: must be a whole number from 1 to"),
    ],
)
def test_a_typo_is_one_line_that_names_what_was_meant(line: list[str], says: str, capsys: Capture) -> None:
    assert main(line) == 2
    assert says in complaint(capsys)


def test_a_service_that_hangs_is_one_line(capsys: Capture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        assert main(["jobs", "--url", f"http://127.0.0.1:{hanging.getsockname()[1]}"]) == 1

    assert "does not answer within 5 s" in complaint(capsys)


class _Refuses(BaseHTTPRequestHandler):
    """Answers with the status that its path begins with."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[1])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://sso.example/login")
        self.end_headers()
        starting = b'{"title": "Service Unavailable", "status": 503, "detail": "the service is starting"}'
        self.wfile.write(starting if status == 503 else b"<html>")

    do_POST = do_GET  # noqa: N815 - the library's name


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with answering(_Refuses) as address:
        yield address


@pytest.mark.parametrize("url", ["localhost:8082", "ftp://localhost", "http:/x"])
def test_an_invalid_address_is_exit_code_2(url: str, capsys: Capture) -> None:
    assert main(["jobs", f"--url={url}"]) == 2
    assert "is not the address of a service" in complaint(capsys)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (503, 1, "the service is starting"),
        (502, 1, "(or a proxy before it) answered HTTP 502"),
        (302, 1, "answered HTTP 302, which leads to https://sso.example/login: give the service's own address"),
        (401, 1, "job-recovery reads its token from JOB_RECOVERY_TOKEN"),
        (404, 1, "(or a proxy before it) answered HTTP 404"),
    ],
)
def test_a_service_that_refuses_is_one_line(refusing: str, status: int, code: int, says: str, capsys: Capture) -> None:
    assert main(["jobs", "--url", f"{refusing}/{status}"]) == code
    assert says in complaint(capsys)


def test_after_a_command_that_a_proxy_answered_the_job_is_to_be_looked_at(refusing: str, capsys: Capture) -> None:
    order = ["decide", "job-1", "fail", "--why", "gone", "--who", "mara", "--url"]

    assert main([*order, f"{refusing}/504"]) == 1
    assert "answered HTTP 504; what was asked for may be done all the same: look at the job" in complaint(capsys)
    assert main([*order, f"{refusing}/503"]) == 1
    assert "look at the job" not in complaint(capsys)


class _Cuts(BaseHTTPRequestHandler):
    """Reads a request, and closes its connection without an answer, or in the middle of one."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/middle"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
        self.close_connection = True

    do_POST = do_GET  # noqa: N815 - the library's name


@pytest.mark.parametrize("when", ["before", "middle"])
def test_after_a_command_whose_connection_was_cut_the_job_is_to_be_looked_at_and_after_a_question_nothing_is(
    when: str, capsys: Capture
) -> None:
    command = ["decide", "job-1", "fail", "--why", "gone", "--who", "mara"]

    with answering(_Cuts) as address:
        told = []
        for line in (command, command, ["jobs"]):
            assert main([*line, "--url", f"{address}/{when}"]) == 1
            told.append(complaint(capsys))

    assert all("does not answer (" in line for line in told)
    assert ["what was asked for may be done all the same: look at the job" in line for line in told] == [
        True,
        True,
        False,
    ]


def test_a_command_that_reached_no_service_was_not_done(capsys: Capture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"

    for url in (address, f"http://{'x' * 70}.invalid"):
        assert main(["decide", "job-1", "fail", "--why", "gone", "--who", "mara", "--url", url]) == 1
        line = complaint(capsys)
        assert "is `job-recovery serve` running?" in line
        assert "look at the job" not in line


class _Another(BaseHTTPRequestHandler):
    """Answers every call with the JSON that its path begins with."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(unquote(self.path.split("/")[1]).encode())

    do_POST = do_GET  # noqa: N815 - the library's name


@pytest.fixture(scope="module")
def another() -> Iterator[str]:
    with answering(_Another) as address:
        yield address


@pytest.mark.parametrize("document", ["{}", '{"items":[{}],"next_cursor":null}', '{"status":"ok"}', "[]", "null"])
@pytest.mark.parametrize(
    "line",
    [
        ["jobs"],
        ["job", "job-1"],
        ["events", "job-1"],
        ["contexts"],
        ["runs"],
        ["register", "job-1", "--vm-name", "vm", "--volume", "disk-1"],
        ["decide", "job-1", "fail", "--why", "gone", "--who", "mara"],
        ["recover"],
        ["audit"],
        ["audit", "--chain", "1"],
        ["diff", "job-1", "1", "2"],
        ["what-if"],
        ["compare", "run-1", "run-2"],
    ],
    ids=" ".join,
)
def test_an_answer_of_something_else_is_one_line_and_exit_code_1(
    another: str, line: list[str], document: str, capsys: Capture
) -> None:
    assert main([*line, "--url", f"{another}/{quote(document)}"]) == 1
    assert re.search("the answer has no '[a-z_]+'|something else than a JSON object", complaint(capsys))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["audit", "--export", "csv", "--limit", "1"], "--limit cannot be used with --export"),
        (["audit", "--chain", "5", "--job", "job-1", "--limit", "3"], "--job, --limit cannot be used with --chain"),
        (["audit", "--chain", "5", "--to", "2025-10-03"], "--to cannot be used with --chain"),
        (["audit", "--chain", "5", "--export", "csv"], "--export cannot be used with --chain"),
        (["replay", "run-1", "--export", "a.ndjson", "--policy", "bogus=1"], "--policy cannot be used with --export"),
        (["replay", "run-1", "--export", "a.ndjson", "--job", "job-1"], "--job cannot be used with --export"),
    ],
)
def test_an_option_without_effect_is_exit_code_2(line: list[str], says: str, capsys: Capture) -> None:
    assert main(line) == 2
    assert f"{says}: it would have no effect" in complaint(capsys)


def test_a_job_that_a_replayed_run_does_not_have_is_exit_code_4(capsys: Capture) -> None:
    corpus = Path(__file__).parents[2] / "corpus" / "restart-of-every-kind.ndjson"

    assert main(["replay", str(corpus), "--job", "nosuch"]) == 4
    assert "has no job 'nosuch'" in complaint(capsys)
