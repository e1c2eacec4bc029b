"""Verifying the log and managing tokens from the command line."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from api.cli.main import main
from domain.events import Trace
from domain.replication_job import ReplicationJob
from tests.api.cli.conftest import complaint
from tests.support import logs
from tests.support.builders import NOON, registration
from tests.support.service import ServiceProcess

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[ServiceProcess]:
    """Return the data directory of a service that was killed while it watched five jobs."""
    with SimulatedVMA() as vma:
        service = ServiceProcess(tmp_path / "data", vma.url)
        service.start()
        for n in range(5):
            vma.world.add_job(f"job-{n}", [f"disk-{n}"], progress=41.0, duration=36_000)
            service.register(f"job-{n}", f"disk-{n}")
            service.wait_for(f"job-{n}", vma_status="running")
        service.kill()
        yield service
        service.close()


def flip_a_byte(data_dir: Path, position: int) -> None:
    ((state,),) = logs.execute(data_dir, "SELECT state FROM stored_events WHERE position = ?", position)
    flipped = state[:20] + bytes([state[20] ^ 1]) + state[21:]
    logs.execute(data_dir, "UPDATE stored_events SET state = ? WHERE position = ?", flipped, position)


def test_a_log_verifies_after_kill_9(killed: ServiceProcess, capsys: Capture) -> None:
    assert main(["verify"]) == 0
    assert "events verified" in capsys.readouterr().out


def test_one_flipped_byte_is_found_with_its_position(killed: ServiceProcess, capsys: Capture) -> None:
    flip_a_byte(killed.data_dir, 4)

    assert main(["verify"]) == 1
    said = complaint(capsys)
    assert "verification failed at position 4" in said
    assert "seal you gave" not in said


def test_a_log_that_was_cut_is_found_by_a_seal_stored_before(killed: ServiceProcess, capsys: Capture) -> None:
    main(["verify"])
    seal = capsys.readouterr().out.split("seal: ")[1].split()[0]
    ((last,),) = logs.execute(killed.data_dir, "SELECT max(first) FROM seals")
    logs.execute(killed.data_dir, "DELETE FROM stored_events WHERE position >= ?", last)
    logs.execute(killed.data_dir, "DELETE FROM seals WHERE first = ?", last)

    assert main(["verify"]) == 0
    capsys.readouterr()
    assert main(["verify", "--expect", seal]) == 1
    said = complaint(capsys)
    assert f"verification failed at position {last}" in said
    assert "first check the seal you gave: either that or the log is not the right one" in said


def test_a_running_service_is_verified_too(killed: ServiceProcess, capsys: Capture) -> None:
    killed.start()

    assert main(["verify"]) == 0


def test_a_forged_snapshot_is_named_until_rebuild_drops_it(tmp_path: Path, capsys: Capture) -> None:
    data_dir = tmp_path / "data"
    asyncio.run(store_forged(data_dir))
    capsys.readouterr()

    for _ in range(2):
        assert main(["verify", "--expect", str(logs.verify(data_dir).seal)]) == 1
        output = complaint(capsys)
        assert "its snapshot of job-1 at version 1 differs from them" in output
        assert "drop all snapshots (job-recovery rebuild)" in output
    assert main(["rebuild"]) == 0
    assert main(["verify"]) == 0
    assert "1 events verified" in capsys.readouterr().out


@pytest.mark.of_files("locks it")
def test_a_log_that_another_program_locks_keeps_its_snapshots_and_ends_rebuild_with_one_line(
    killed: ServiceProcess, capsys: Capture
) -> None:
    with closing(sqlite3.connect(killed.data_dir / "events.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")

        assert main(["rebuild"]) == 1

    assert "cannot be dropped: database is locked" in complaint(capsys)


async def store_forged(data_dir: Path) -> None:
    """Store a job with a snapshot that says more progress than its events, and has the right digest."""
    job = ReplicationJob(id="job-1")
    job.register(registration(job.id, vm_context_id="ctx-1", progress_percent=41.0), NOON, Trace("r", "r"))
    log = logs.open_log(data_dir)
    await log.append(job.pending, [msgspec.structs.replace(job, progress_percent=95.0).snapshot()])
    log.close()


def test_rebuild_replaces_a_damaged_read_model_and_quarantines_it(killed: ServiceProcess, capsys: Capture) -> None:
    main(["rebuild"])
    rebuilt = capsys.readouterr().out.splitlines()[-1]
    model = killed.data_dir / "read_model.sqlite"
    damaged = model.read_bytes()[: 2 * 4096] + b"\xff" * 4096 + model.read_bytes()[3 * 4096 :]
    model.write_bytes(damaged)

    assert main(["rebuild"]) == 0
    *told, last = capsys.readouterr().out.splitlines()
    assert any("read_model_quarantined" in line for line in told)
    assert last == rebuilt
    assert (killed.data_dir / "read_model.damaged").read_bytes() == damaged


def test_a_service_closes_the_data_of_an_older_version_to_other_users(killed: ServiceProcess) -> None:
    for path in (killed.data_dir, *killed.data_dir.iterdir()):
        path.chmod(path.stat().st_mode | 0o055)

    killed.start()

    assert {path.stat().st_mode & 0o077 for path in (killed.data_dir, *killed.data_dir.iterdir())} == {0}


@pytest.mark.of_files("cannot be read")
def test_an_intact_log_that_cannot_be_read_now_is_not_called_damaged_and_verifies_later(
    tmp_path: Path, capsys: Capture
) -> None:
    logs.open_log(tmp_path / "data").close()
    in_the_way = tmp_path / "data" / "events.sqlite-wal"
    in_the_way.mkdir()

    assert main(["verify"]) == 1
    said = complaint(capsys)
    assert "events.sqlite cannot be read: unable to open database file. Check that it is a file" in said
    assert "or copy it to a directory that this user may write, and run the same command again" in said
    assert "backup" not in said
    in_the_way.rmdir()
    assert main(["verify"]) == 0


def test_a_log_that_is_not_there_is_exit_code_4(capsys: Capture) -> None:
    assert main(["verify"]) == 4
    assert "there is no event log" in complaint(capsys)


def test_a_log_in_a_folder_that_cannot_be_is_not_there_either(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(tmp_path / ("a" * 300)))

    assert main(["verify"]) == 4
    assert "there is no event log" in complaint(capsys)


@pytest.mark.of_files("has tokens in a file")
@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("a-file", 2, "a-file is not a directory"), ("a" * 300, 1, f"{'a' * 300}/tokens.json cannot be ")],
    ids=["a file", "a name that is too long"],
)
def test_tokens_of_an_invalid_folder_are_one_line(
    name: str, code: int, says: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("JOB_RECOVERY_DATA_DIR", str(tmp_path / name))
    for line in (["list"], ["create", "mara", "--scope", "read"], ["revoke", "mara"]):
        assert main(["token", *line]) == code
        assert says in complaint(capsys)


@pytest.mark.parametrize(
    "seal", ["42", ":ab", "-1:ab", "x:ab", "42:", f"4:{'a' * 63}", f"4:{'a' * 65}", f"4:{'g' * 64}", f"0:{'a' * 64}"]
)
def test_an_invalid_seal_is_exit_code_2(killed: ServiceProcess, seal: str, capsys: Capture) -> None:
    assert main(["verify", f"--expect={seal}"]) == 2
    assert "POSITION:HASH" in complaint(capsys)


def test_the_seal_that_verify_printed_is_accepted_also_that_of_an_empty_log(tmp_path: Path, capsys: Capture) -> None:
    logs.open_log(tmp_path / "data").close()
    main(["verify"])
    seal = capsys.readouterr().out.split("seal: ")[1].split()[0]

    assert main(["verify", "--expect", seal.upper()]) == 0


@pytest.mark.of_files("has tokens in a file")
def test_a_token_is_shown_once_and_opens_the_service_until_it_is_revoked(
    killed: ServiceProcess, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed.start()
    assert main(["token", "create", "auditor", "--scope", "read"]) == 0
    secret = capsys.readouterr().out.strip()

    assert main(["jobs", "--url", killed.url]) == 1
    assert "JOB_RECOVERY_TOKEN" in complaint(capsys)
    monkeypatch.setenv("JOB_RECOVERY_TOKEN", secret)
    assert main(["jobs", "--url", killed.url]) == 0
    assert main(["recover", "--url", killed.url]) == 1
    assert "has the scope read; this needs operate" in capsys.readouterr().err

    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert ("auditor" in listed, secret in listed) == (True, False)
    assert secret not in killed.log_file.read_text() + (killed.data_dir / "tokens.json").read_text()

    # Another one stays, or the service would be open again.
    main(["token", "create", "other", "--scope", "admin"])
    assert main(["token", "revoke", "auditor"]) == 0
    capsys.readouterr()
    assert main(["jobs", "--url", killed.url]) == 1


@pytest.mark.parametrize("name", ["a b", "größe", "a/b", "x" * 201])
def test_a_token_has_a_plain_name(name: str, capsys: Capture) -> None:
    assert main(["token", "create", name, "--scope", "read"]) == 2
    assert "cannot be the name of a token" in complaint(capsys)


@pytest.mark.of_files("has tokens in a file")
def test_every_command_on_tokens_says_whose_they_are(tmp_path: Path, capsys: Capture) -> None:
    for line in (["create", "mara", "--scope", "read"], ["list"], ["revoke", "mara"]):
        assert main(["token", *line]) == 0
        written = capsys.readouterr()
        assert f"of {tmp_path}/data" in written.out + written.err


@pytest.mark.of_files("has tokens in a file")
@pytest.mark.parametrize("line", [["create", "mara", "--scope", "read"], ["list"], ["revoke", "mara"]])
def test_tokens_of_a_directory_that_is_neither_named_nor_there_are_exit_code_4(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.delenv("JOB_RECOVERY_DATA_DIR")

    assert main(["token", *line]) == 4
    assert f"there is no data directory {tmp_path}/job-recovery-data: set JOB_RECOVERY_DATA_DIR" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_tokens_of_the_default_directory_are_created_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOB_RECOVERY_DATA_DIR")
    (tmp_path / "job-recovery-data").mkdir()

    assert main(["token", "create", "mara", "--scope", "read"]) == 0


def test_two_tokens_of_one_name_are_refused(capsys: Capture) -> None:
    main(["token", "create", "auditor", "--scope", "read"])
    capsys.readouterr()

    assert main(["token", "create", "auditor", "--scope", "admin"]) == 2
    assert "there is a token named 'auditor'" in complaint(capsys)
    assert main(["token", "revoke", "nobody"]) == 4
    assert "there is no token named 'nobody'" in complaint(capsys)


@pytest.mark.parametrize(
    "token",
    [
        "geheim\nX-Other: 1",
        "geheim ",
        " geheim",
        "geheim\n",
        "\tgeheim",
        "ge heim",
        '"geheim"',
        "'geheim'",
        "geheim\u00a0",
        " ",
    ],
)
def test_an_invalid_token_is_refused_and_not_shown(
    token: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_RECOVERY_TOKEN", token)

    assert main(["jobs"]) == 2
    said = complaint(capsys)
    assert "JOB_RECOVERY_TOKEN: not a valid token" in said
    assert "geheim" not in said


@pytest.mark.parametrize("token", ["", "jr_aZ-_09", "abc.DEF~1+/=="])
def test_a_token_of_any_issuer_is_sent(token: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_RECOVERY_TOKEN", token)

    assert main(["jobs"]) == 1
    assert "is `job-recovery serve` running?" in complaint(capsys)


@pytest.mark.of_files("has tokens in a file")
@pytest.mark.parametrize("damage", [b'[{"name": "\xff"}]', b"[" * 100_000])
def test_tokens_that_cannot_be_read_are_one_line(damage: bytes, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tokens.json").write_bytes(damage)

    assert main(["token", "list"]) == 1
    assert "tokens.json cannot be read" in complaint(capsys)
