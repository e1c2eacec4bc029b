"""Copying the log from the command line."""

import asyncio
import os
import pty
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.lease import Lease
from api.cli.main import main
from tests.adapters.event_log.places import PostgresPlace, SQLitePlace, opened, registered
from tests.api.cli.conftest import complaint
from tests.support import logs, postgres
from tests.support.missing import skip_unless_root
from tests.support.postgres import new_schema

Capture = pytest.CaptureFixture[str]

NOBODY = 65534

PASSWORD = "p@s%s/#?:ü"
QUOTED = "p%40s%25s%2F%23%3F%3A%C3%BC"


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the address of a log of five events."""
    write(SQLitePlace(tmp_path / "events.sqlite"), 0, 5)
    return f"sqlite:///{tmp_path}/events.sqlite"


@pytest.fixture
def schema() -> Iterator[str]:
    with new_schema() as name:
        yield name


def write(place: SQLitePlace | PostgresPlace, first: int, last: int) -> None:
    async def write_all() -> None:
        with opened(place) as log:
            for n in range(first, last):
                await log.append(registered(f"job-{n}"))

    asyncio.run(write_all())


def copied(line: list[str], capsys: Capture) -> list[str]:
    """Copy, and return the lines that are printed."""
    assert main(["copy", *line]) == 0
    written = capsys.readouterr()
    assert written.err == ""
    return written.out.splitlines()


def test_a_copy_says_what_it_did_and_a_second_one_copies_what_is_new(
    source: str, schema: str, tmp_path: Path, capsys: Capture
) -> None:
    line = ["--from", source, "--to", postgres.SERVER, "--to-schema", schema]
    first = copied(line, capsys)
    write(SQLitePlace(tmp_path / "events.sqlite"), 5, 7)
    second = copied(line, capsys)

    assert [said.split(":")[-1] for said in (first[0], second[0])] == [" 5 of 5 events", " 2 of 7 events"]
    assert f"to the event log in schema {schema} of " in first[0]
    assert first[1] == "verifying both"
    assert second[2].startswith("2 events copied; both logs verified, 7 events up to the seal 7:")
    main(["verify"])
    assert main(["copy", "--from", postgres.SERVER, "--from-schema", schema, "--to", f"sqlite:///{tmp_path}/b"]) == 0


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("events.sqlite", "--to: libpq cannot read it as"),
        ("mysql://root@localhost/x", "--to: It is not of the form postgresql://"),
        ("sqlite://events.sqlite", "--to: A file is given as sqlite:////PATH/events.sqlite"),
        ("sqlite:///.", "--to: It is a directory. Name the file in it"),
        ("sqlite:///missing/events.sqlite", "/missing: an absolute path is sqlite:////PATH/events.sqlite"),
        ("sqlite:///events.sqlite", "--from and --to are the same event log"),
        ("sqlite:///another-name.sqlite", "--from and --to are the same event log"),
    ],
)
def test_a_wrong_address_is_exit_code_2(source: str, target: str, says: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "another-name.sqlite").hardlink_to(tmp_path / "events.sqlite")

    assert main(["copy", "--from", source, "--to", target]) == 2
    assert says in complaint(capsys)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--to-schema", "No"], "--to: A schema's name begins with a small letter"),
        (["--from-schema", "a"], "--from-schema: a file has no schema"),
    ],
)
def test_a_wrong_schema_is_exit_code_2(source: str, option: list[str], says: str, capsys: Capture) -> None:
    assert main(["copy", "--from", source, "--to", postgres.SERVER, *option]) == 2
    assert says in complaint(capsys)


def test_a_log_that_is_served_is_no_target_by_a_link_either(source: str, tmp_path: Path, capsys: Capture) -> None:
    served, elsewhere = tmp_path / "served", tmp_path / "elsewhere"
    served.mkdir()
    elsewhere.mkdir()
    write(SQLitePlace(served / "events.sqlite"), 0, 1)
    (elsewhere / "events.sqlite").symlink_to(served / "events.sqlite")
    lease = Lease(served)
    lease.acquire("a service")

    for folder in (served, elsewhere):
        assert main(["copy", "--from", source, "--to", f"sqlite:///{folder}/events.sqlite"]) == 3
        assert "a service" in complaint(capsys)
    lease.release()


@pytest.fixture
def of_a_service(tmp_path: Path) -> Path:
    """Return the data directory of a service that runs as a common user."""
    skip_unless_root("only root can make what belongs to somebody else")
    data_dir = tmp_path / "restored"
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, NOBODY, NOBODY)
    return data_dir


def test_what_root_copies_belongs_to_the_user_of_the_directory(
    source: str, of_a_service: Path, tmp_path: Path, capsys: Capture
) -> None:
    for _ in range(2):
        copied(["--from", source, "--to", f"sqlite:///{of_a_service}/events.sqlite"], capsys)

    made = {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in of_a_service.iterdir()}
    assert {"lease", "events.sqlite"} <= made.keys()
    assert set(made.values()) == {(NOBODY, 0o600)}
    assert (tmp_path / "events.sqlite").stat().st_uid == 0


def test_what_root_rebuilds_belongs_to_the_user_of_the_directory(
    of_a_service: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.use(monkeypatch, of_a_service)
    logs.open_log(of_a_service).close()
    for path in of_a_service.iterdir():
        os.chown(path, NOBODY, NOBODY)

    for _ in range(2):
        assert main(["rebuild"]) == 0, capsys.readouterr().err

        assert {"lease", "read_model.sqlite"} <= {path.name for path in of_a_service.iterdir()}
        assert {path.stat().st_uid for path in of_a_service.iterdir()} == {NOBODY}
        (of_a_service / "read_model.sqlite").write_bytes(b"damaged" * 1000)


def test_a_schema_is_not_copied_to_itself_by_another_address(schema: str, capsys: Capture) -> None:
    write(PostgresPlace(schema), 0, 1)
    line = ["--from", postgres.SERVER, "--from-schema", schema, "--to-schema", schema]

    assert main(["copy", *line, "--to", postgres.url_to(postgres.port(), connect_timeout="7")]) == 2
    assert "--from and --to are the same event log in schema" in complaint(capsys)


def test_a_target_with_another_log_is_exit_code_2(source: str, tmp_path: Path, capsys: Capture) -> None:
    write(SQLitePlace(tmp_path / "b.sqlite"), 7, 8)

    assert main(["copy", "--from", source, "--to", f"sqlite:///{tmp_path}/b.sqlite"]) == 2
    assert "b.sqlite has events of its own: it is not a copy of" in capsys.readouterr().err


def test_a_missing_source_is_exit_code_4_and_leaves_no_target(tmp_path: Path, capsys: Capture) -> None:
    assert main(["copy", "--from", "sqlite:///nothing.sqlite", "--to", "sqlite:///b.sqlite"]) == 4
    assert f"there is no event log {tmp_path}/nothing.sqlite" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_cannot_be_read_is_named_and_leaves_no_target(tmp_path: Path, capsys: Capture) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as other:
        other.execute("CREATE TABLE notes (line TEXT)")

    assert main(["copy", "--from", "sqlite:///a.sqlite", "--to", "sqlite:///b.sqlite"]) == 1
    assert f"the event log {tmp_path}/a.sqlite cannot be read: no such table: seals" in complaint(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]


def test_a_target_that_is_written_by_a_service_is_exit_code_3(source: str, schema: str, capsys: Capture) -> None:
    with opened(PostgresPlace(schema)):
        assert main(["copy", "--from", source, "--to", postgres.SERVER, "--to-schema", schema]) == 3
    assert "is in use by job-recovery writer" in complaint(capsys)


@pytest.mark.of_files("verifies a copy of it")
def test_an_unfinished_copy_does_not_verify(source: str, tmp_path: Path, capsys: Capture) -> None:
    target = SQLitePlace(tmp_path / "data" / "events.sqlite")
    target.path.parent.mkdir()
    with target.target("another log"):
        pass

    assert main(["verify"]) == 1
    assert "is an unfinished copy of another log: run `job-recovery copy` again" in capsys.readouterr().err


def test_the_copy_is_closed_to_other_users(source: str, tmp_path: Path) -> None:
    main(["copy", "--from", source, "--to", f"sqlite:///{tmp_path}/b.sqlite"])

    assert (tmp_path / "b.sqlite").stat().st_mode & 0o077 == 0


def test_a_terminal_shows_a_bar(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    mine, its = pty.openpty()
    with ThreadPoolExecutor(1) as reader:
        shown = reader.submit(whole, mine)
        with monkeypatch.context() as patch, open(its, "w") as terminal:  # noqa: PTH123 - a file descriptor
            patch.setattr(sys, "stderr", terminal)
            patch.setenv("TERM", "xterm")
            assert main(["copy", "--from", source, "--to", f"sqlite:///{tmp_path}/b.sqlite"]) == 0
    os.close(mine)

    assert "copying" in shown.result()
    assert "5/5" in shown.result()


def whole(terminal: int) -> str:
    """Return all that is shown until the terminal is closed, which a read reports as an error."""
    shown = b""
    with suppress(OSError):
        while piece := os.read(terminal, 4096):
            shown += piece
    return shown.decode()


@pytest.mark.parametrize(
    "line",
    [
        ["--to", f"postgresql://postgres:{PASSWORD}@127.0.0.1/postgres"],
        ["--to", f"postgresql://postgres:{QUOTED}@127.0.0.1:1/postgres"],
        ["--to", f"postgresql://postgres:{QUOTED}@127.0.0.1/postgres", "--to-schema", "No"],
        [f"postgresql://postgres:{QUOTED * 5}@127.0.0.1/postgres"],
        ["--two", f"postgresql://postgres:{QUOTED}@127.0.0.1/postgres"],
    ],
)
def test_a_refusal_does_not_show_the_password(source: str, line: list[str], capsys: Capture) -> None:
    assert main(["copy", "--from", source, *line]) in {1, 2}

    said = complaint(capsys)
    assert not any(part in said for part in (PASSWORD, QUOTED, "p@s", "p%40s"))


def test_neither_a_copy_nor_its_mark_has_the_password(
    source: str, schema: str, tmp_path: Path, capsys: Capture
) -> None:
    password = postgres.password() or "hunter22"
    url = postgres.url_to(postgres.port(), password=password)
    said = copied(["--from", source, "--to", url, "--to-schema", schema], capsys)
    said += copied(["--from", url, "--from-schema", schema, "--to", f"sqlite:///{tmp_path}/b.sqlite"], capsys)
    with closing(SQLiteEventLog(tmp_path / "b.sqlite")) as log:
        assert asyncio.run(log.head()) == 5

    files = [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir() if path.is_file()]
    assert [text[:100] for text in (*said, *files) if password in text] == []
