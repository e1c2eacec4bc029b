"""A data directory has one owner at a time."""

import fcntl
import os
import resource
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.host.lease import DataDirectoryInUse, Lease
from domain.errors import StorageUnavailable

ROOT, NOBODY = 0, 65534


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Make every write of this process fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.fixture
def common_user() -> Iterator[Path]:
    """Run the test as a common user; yield a directory with a lease that this user may only read."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        (Path(directory) / "lease").touch(mode=0o444)
        before = os.geteuid()
        if before == ROOT:
            os.seteuid(NOBODY)
        yield Path(directory)
        os.seteuid(before)


def test_the_error_of_a_second_process_names_the_owner_of_the_directory(tmp_path: Path) -> None:
    first, second = Lease(tmp_path), Lease(tmp_path)
    first.acquire("oma-1, http://127.0.0.1:8082")

    with pytest.raises(DataDirectoryInUse, match=r"is in use by oma-1, http://127\.0\.0\.1:8082 \(process \d+\): stop"):
        second.acquire("oma-2")

    first.release()
    first.release()
    second.acquire("oma-2")
    second.release()


def test_the_file_of_a_process_that_ended_is_no_lease(tmp_path: Path) -> None:
    (tmp_path / "lease").write_text("oma-1 (process 1)\n")

    lease = Lease(tmp_path)
    lease.acquire("oma-2")

    assert (tmp_path / "lease").read_text().startswith("oma-2 (process ")
    lease.release()


def test_an_owner_whose_name_cannot_be_decoded_still_has_the_lease(tmp_path: Path) -> None:
    with (tmp_path / "lease").open("wb") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        lease.write(b"\xff\xfe (process 1)")
        lease.flush()

        with pytest.raises(DataDirectoryInUse, match=r"is in use by .* \(process 1\): stop"):
            Lease(tmp_path).acquire("oma-2")


@pytest.mark.parametrize("obstacle", ["a directory", "a dangling link"])
def test_a_lease_that_cannot_be_a_file_is_refused_with_a_remedy(tmp_path: Path, obstacle: str) -> None:
    if obstacle == "a directory":
        (tmp_path / "lease").mkdir()
    else:
        (tmp_path / "lease").symlink_to(tmp_path / "nowhere" / "lease")

    with pytest.raises(StorageUnavailable, match=f"^the lease {tmp_path}/lease cannot be acquired: .* plain file"):
        Lease(tmp_path).acquire("oma-1")


def test_a_lease_that_may_not_be_written_is_refused(common_user: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be acquired: Permission denied"):
        Lease(common_user).acquire("oma-1")


def test_a_lease_on_a_full_disk_is_refused_and_can_be_released(tmp_path: Path, full_disk: None) -> None:
    lease = Lease(tmp_path)

    with pytest.raises(StorageUnavailable, match="cannot be acquired: File too large"):
        lease.acquire("oma-1")

    lease.release()
