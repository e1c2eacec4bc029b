"""The short form of scripts/reliability/postgres."""

from tests.database.__main__ import SCENARIOS
from tests.database.site import Size


def test_nothing_is_lost_or_doubled_and_every_refusal_is_told(scenario: str, size: Size) -> None:
    assert SCENARIOS[scenario](size)
