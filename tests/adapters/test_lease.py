"""One process at a time on a data directory."""

from pathlib import Path

import pytest

from adapters.lease import DataDirectoryHeld, Lease


def test_a_second_process_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    first, second = Lease(tmp_path), Lease(tmp_path)
    first.acquire("oma-1, http://127.0.0.1:8082")

    with pytest.raises(DataDirectoryHeld, match=r"is held by oma-1, http://127\.0\.0\.1:8082 \(process \d+\): stop"):
        second.acquire("oma-2")

    first.release()
    first.release()
    second.acquire("oma-2")
    second.release()


def test_a_file_left_by_a_process_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "lease").write_text("oma-1 (process 1)\n")

    lease = Lease(tmp_path)
    lease.acquire("oma-2")

    assert (tmp_path / "lease").read_text().startswith("oma-2 (process ")
    lease.release()
