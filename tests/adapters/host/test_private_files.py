"""Other users of the machine cannot read the data directory or lock its files, and links are not followed."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from adapters.event_log.sqlite import sqlite3
from adapters.event_log.sqlite_store import SQLiteEventLog
from adapters.host.file_owner import create_for_owner
from adapters.host.lease import Lease
from adapters.host.private_files import prepare
from adapters.host.tokens import TokenFile
from adapters.tokens import Scope
from domain.errors import InvalidInput, StorageUnavailable
from projections.read_model.model_file import open_read_model
from tests.support.builders import NOON
from tests.support.harness import RecordingLog
from tests.support.missing import skip_unless_root

ROOT, DAEMON, NOBODY = 0, 1, 65534


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def as_root() -> None:
    skip_unless_root("only root can make what belongs to somebody else")


@pytest.fixture
def of_root(as_root: None) -> Iterator[Path]:
    """Run the test as a common user; yield a directory of root that this user may write."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        os.seteuid(NOBODY)
        yield Path(directory)
        os.seteuid(ROOT)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def use(data_dir: Path) -> dict[str, int]:
    """Create every file of a data directory; return the mode of each, and of the directory as '.'."""
    lease = Lease(prepare(data_dir))
    lease.acquire("oma-1")
    log = SQLiteEventLog(data_dir / "events.sqlite")
    model = open_read_model(data_dir / "read_model.sqlite", sqlite3)
    TokenFile(data_dir).create("mara", Scope.READ, NOON)
    found = {path.name: mode_of(path) for path in data_dir.iterdir()}
    model.dispose()
    log.close()
    lease.release()
    return {".": mode_of(data_dir), **found}


FILES = {"lease", "events.sqlite", "events.sqlite-wal", "events.sqlite-shm"} | {
    "read_model.sqlite", "tokens.json", "tokens.made", "tokens.lock"
}  # fmt: skip


@pytest.mark.usefixtures("umask")
def test_a_data_directory_is_for_its_user_only_whatever_the_umask(tmp_path: Path) -> None:
    found = use(tmp_path / "data")

    assert found.keys() >= FILES
    assert found.pop(".") == 0o700
    assert set(found.values()) == {0o600}


def test_open_files_of_an_older_version_are_closed_at_the_next_start(tmp_path: Path) -> None:
    use(tmp_path)
    tmp_path.chmod(0o755)
    kept = {"read_model.damaged", "tokens.new", *FILES & {path.name for path in tmp_path.iterdir()}}
    for name in kept:
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    log = RecordingLog()

    prepare(tmp_path, log)

    assert mode_of(tmp_path) == 0o700
    assert {mode_of(tmp_path / name) for name in kept} == {0o600}
    assert log.events == []


def test_other_files_stay_as_they_are(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / "notes.txt").touch()
    (data_dir / "notes.txt").chmod(0o644)
    (data_dir / "tokens.json").symlink_to(outside)

    prepare(data_dir)

    assert (mode_of(data_dir / "notes.txt"), mode_of(outside)) == (0o644, 0o644)


def test_a_directory_with_files_of_others_stays_open_at_every_start_and_that_is_logged(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    others = [tmp_path / name for name in ("tokens.backup", "events.sqlite.md5", "read_model.py", "notes")]
    for file in others:
        file.touch()
        file.chmod(0o644)
    log = RecordingLog()

    first = use(tmp_path)
    prepare(tmp_path, log)

    assert (first["."], mode_of(tmp_path)) == (0o755, 0o755)
    assert {mode_of(file) for file in others} == {0o644}
    assert {mode_of(file) for file in tmp_path.iterdir() if file not in others} == {0o600}
    assert log.events == ["open_to_other_users"]


def test_an_empty_directory_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    prepare(tmp_path)

    assert mode_of(tmp_path) == 0o700


def test_a_directory_that_all_users_share_stays_open_and_that_is_logged(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    log = RecordingLog()

    prepare(tmp_path, log)

    assert mode_of(tmp_path) == 0o1777
    assert log.events == ["open_to_other_users"]


def test_a_directory_of_another_user_is_logged_and_the_service_starts(of_root: Path) -> None:
    log = RecordingLog()

    assert prepare(of_root, log) == of_root

    assert log.events == ["open_to_other_users"]
    assert mode_of(of_root) == 0o777


def create(data_dir: Path, name: str) -> None:
    """Create the file of this name."""
    if name == "lease":
        Lease(data_dir).acquire("oma-1")
    else:
        TokenFile(data_dir).create("mara", Scope.READ, NOON)


@pytest.mark.parametrize("name", ["lease", "tokens.lock", "tokens.made"])
def test_a_link_instead_of_a_file_is_refused_and_its_target_is_not_created(tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / name).symlink_to(tmp_path / "outside")

    with pytest.raises(StorageUnavailable, match=r"cannot be .*symbolic links"):
        create(data_dir, name)

    assert not (tmp_path / "outside").exists()
    assert not (data_dir / "tokens.json").exists()


@pytest.mark.parametrize("left", ["link", "file"])
def test_new_tokens_follow_no_link_and_replace_the_file_of_a_crash(tmp_path: Path, left: str) -> None:
    outside, data_dir = tmp_path / "outside", tmp_path / "data"
    outside.write_text("kept")
    data_dir.mkdir()
    if left == "link":
        (data_dir / "tokens.new").symlink_to(outside)
    else:
        (data_dir / "tokens.new").write_text("[half")
        (data_dir / "tokens.new").chmod(0o644)

    for name in ("mara", "tom"):
        TokenFile(data_dir).create(name, Scope.READ, NOON)

    assert outside.read_text() == "kept"
    assert [token.name for token in TokenFile(data_dir).all()] == ["mara", "tom"]
    assert mode_of(data_dir / "tokens.json") == 0o600
    assert not (data_dir / "tokens.json").is_symlink()


def test_a_lock_that_another_process_does_not_release_ends_the_command_with_what_to_do(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path)
    secret = tokens.create("mara", Scope.READ, NOON)
    with (tmp_path / "tokens.lock").open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)

        with pytest.raises(StorageUnavailable, match=r"has locked .*tokens\.lock for 5 s: end it"):
            tokens.revoke("mara")
        assert tokens.find(secret) is not None

    tokens.revoke("mara")
    assert tokens.all() == []


@pytest.fixture
def of_a_service(as_root: None, tmp_path: Path) -> Path:
    """Return the data directory of a service that runs as a common user."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    os.chown(data_dir, NOBODY, NOBODY)
    return data_dir


@contextmanager
def running_as(user: int) -> Iterator[None]:
    os.seteuid(ROOT)
    os.seteuid(user)
    yield
    os.seteuid(ROOT)


@pytest.mark.parametrize("started", [False, True])
def test_tokens_that_root_creates_belong_to_the_user_of_the_service(of_a_service: Path, *, started: bool) -> None:
    if started:
        (of_a_service / "lease").touch()
        os.chown(of_a_service / "lease", NOBODY, NOBODY)

    TokenFile(of_a_service).create("mara", Scope.READ, NOON)

    assert {path.stat().st_uid for path in of_a_service.iterdir()} == {NOBODY}
    assert {mode_of(path) for path in of_a_service.iterdir() if path.name.startswith("tokens")} == {0o600}


def test_the_lease_tells_whose_tokens_they_are_if_the_directory_is_shared(of_a_service: Path) -> None:
    os.chown(of_a_service, ROOT, ROOT)
    (of_a_service / "lease").touch()
    os.chown(of_a_service / "lease", NOBODY, NOBODY)

    TokenFile(of_a_service).create("mara", Scope.READ, NOON)

    assert {path.stat().st_uid for path in of_a_service.iterdir()} == {NOBODY}


def test_a_user_who_is_not_that_of_the_service_creates_no_tokens(of_root: Path) -> None:
    (of_root / "lease").touch()

    with running_as(DAEMON), pytest.raises(InvalidInput, match=r"is used by nobody: run this as that user$"):
        TokenFile(of_root).create("mara", Scope.READ, NOON)

    assert [path.name for path in of_root.iterdir()] == ["lease"]
    with running_as(NOBODY):
        TokenFile(of_root).create("mara", Scope.READ, NOON)


def test_tokens_of_another_user_are_an_error_with_a_remedy(of_root: Path) -> None:
    with running_as(ROOT):
        TokenFile(of_root).create("mara", Scope.READ, NOON)
        os.chown(of_root, NOBODY, NOBODY)

    with (
        running_as(NOBODY),
        pytest.raises(StorageUnavailable, match=r"Permission denied\. Run this as nobody, or give"),
    ):
        TokenFile(of_root).all()


def users_of(data_dir: Path) -> dict[str, int]:
    return {path.name: path.stat().st_uid for path in data_dir.iterdir()}


def test_databases_that_root_creates_belong_to_the_user_of_the_directory_also_while_they_are_open(
    of_a_service: Path,
) -> None:
    Lease(of_a_service).acquire("job-recovery rebuild")
    with closing(sqlite3.connect(of_a_service / "of-root.sqlite")) as other:
        create_for_owner(of_a_service / "events.sqlite")
        log = SQLiteEventLog(of_a_service / "events.sqlite")
        model = open_read_model(of_a_service / "read_model.sqlite", sqlite3, None, create_for_owner)
        other.execute("CREATE TABLE a (b)")
        found = users_of(of_a_service)
        model.dispose()
        log.close()

    assert found.pop("of-root.sqlite") == ROOT
    assert found.keys() >= {"lease", "events.sqlite", "events.sqlite-wal", "events.sqlite-shm", "read_model.sqlite"}
    assert set(found.values()) == {NOBODY}


@pytest.mark.usefixtures("as_root")
def test_a_lease_in_a_directory_of_root_tells_whose_new_files_are(tmp_path: Path) -> None:
    (tmp_path / "lease").touch()
    os.chown(tmp_path / "lease", NOBODY, NOBODY)

    create_for_owner(tmp_path / "events.sqlite")

    assert users_of(tmp_path) == {"lease": NOBODY, "events.sqlite": NOBODY}


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("shared", [0o1777, 0o777, 0o770])
def test_a_lease_that_somebody_else_may_have_made_gets_him_no_file(tmp_path: Path, shared: int) -> None:
    tmp_path.chmod(shared)
    (tmp_path / "lease").touch()
    os.chown(tmp_path / "lease", NOBODY, NOBODY)

    create_for_owner(tmp_path / "events.sqlite")

    assert users_of(tmp_path) == {"lease": NOBODY}


@pytest.mark.parametrize("link", ["hard", "symbolic", "dangling"])
def test_a_file_that_is_there_is_given_to_nobody(of_a_service: Path, tmp_path: Path, link: str) -> None:
    secret, path = tmp_path / "secret", of_a_service / "events.sqlite"
    if link != "dangling":
        secret.touch()
    if link == "hard":
        path.hardlink_to(secret)
    else:
        path.symlink_to(secret)

    create_for_owner(path)

    assert secret.exists() is (link != "dangling")
    assert link == "dangling" or secret.stat().st_uid == ROOT


def test_a_common_user_creates_nothing_for_another_one(of_root: Path) -> None:
    create_for_owner(of_root / "events.sqlite")

    assert list(of_root.iterdir()) == []
