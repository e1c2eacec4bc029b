"""With any mix of ids, nothing hangs, nothing breaks, and the service starts again."""

from pathlib import Path

import pytest

from tests.hostile.ids import play


async def test_ids_of_every_kind_in_every_place_break_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    calls = 20_000 if request.config.getoption("--long") else 800

    fuzz = await play(7, calls, tmp_path, restart_every=400)

    assert fuzz.wrong == []
    assert {f"{kind} {status}" for kind, status in (("register", 201), ("decide", 200), ("report", 404))} <= {
        *fuzz.statuses
    }
    assert fuzz.statuses["register 422"] > 0
