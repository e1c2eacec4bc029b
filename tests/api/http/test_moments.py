"""A moment as it is written in a request: a version, a position or a time."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from api.http.moments import JobMoment, Known, Moment, Position, Version

OF_JOB, OF_LOG = TypeAdapter[Moment](JobMoment), TypeAdapter[Moment](Known)
LARGEST = 2**53


@pytest.mark.parametrize("number", [1, 7, LARGEST - 1, LARGEST])
def test_a_number_is_a_version_and_a_position_is_named(number: int) -> None:
    assert OF_JOB.validate_python(str(number)) == Version(number)
    assert OF_JOB.validate_python(f"position:{number}") == OF_LOG.validate_python(f"position:{number}")
    assert OF_LOG.validate_python(f"position:{number}") == Position(number)


def test_a_time_is_the_end_of_what_is_written_for_a_job_and_for_the_log() -> None:
    for kind in (OF_JOB, OF_LOG):
        assert kind.validate_python("2026-01-01T12:00Z") == datetime(2026, 1, 1, 12, 0, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("number", [LARGEST + 1, 9_999_999_999_999_999])
def test_a_number_beyond_the_largest_is_refused(number: int) -> None:
    for text in (str(number), f"position:{number}"):
        with pytest.raises(ValidationError, match=f"must be at most {LARGEST}"):
            OF_JOB.validate_python(text)


def test_a_version_is_no_moment_of_the_log() -> None:
    with pytest.raises(ValidationError, match="must be position:N, or a time"):
        OF_LOG.validate_python("1")
