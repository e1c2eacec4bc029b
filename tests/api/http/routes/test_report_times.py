"""When a worker's report was sent: what is no time, or no time of a worker, is none."""

from datetime import UTC, datetime

import pytest

from api.http.routes.worker_reports import Telemetry


def sent_at(timestamp: object) -> datetime | None:
    return Telemetry.model_validate({"status": "in_progress", "timestamp": timestamp}).timestamp


@pytest.mark.parametrize(
    "timestamp",
    [
        None, "", "soon", 7, ["2025-10-03"], "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)  # fmt: skip
def test_what_is_no_time_of_a_worker_is_none(timestamp: object) -> None:
    assert sent_at(timestamp) is None
    assert Telemetry(status="in_progress").timestamp is None


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        ("1970-01-01T00:00:00.000001Z", datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)),
        ("2025-10-03T14:00:00+02:00", datetime(2025, 10, 3, 12, tzinfo=UTC)),
        ("8999-12-31T23:59:59.999999Z", datetime(8999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_any_other_time_is_in_utc(timestamp: str, time: datetime) -> None:
    assert sent_at(timestamp) == time
