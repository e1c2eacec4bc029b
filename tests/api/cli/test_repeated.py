"""An option that has one value is given once; options with several values are repeated."""

from argparse import Namespace

import pytest

from api.cli.arguments import top_parser
from api.cli.main import main
from tests.api.cli.conftest import complaint

REPEATED = [
    (["jobs", "--limit", "2", "--limit", "5"], "--limit"),
    (["jobs", "--limit", "2", "--limit", "2"], "--limit"),
    (["jobs", "--limit=2", "--lim", "5"], "--limit"),
    (["job", "job-1", "--position", "1", "--position", "2"], "--position"),
    (["audit", "--order", "newest", "--order", "oldest"], "--order"),
    (["audit", "--from", "2026-01-01", "--from", "2026-02-01"], "--from"),
    (["replay", "run-1", "--export", "a", "--export", "b"], "--export"),
    (
        ["what-if", "--policy", "complete_above_percent=95", "--policy", "complete_above_percent=10"],
        "--policy complete",
    ),
    (["replay", "run-1", "--policy", "stale_after=1", "--policy", "stale_after=1"], "--policy stale_after"),
    (["token", "create", "mara", "--scope", "read", "--scope", "admin"], "--scope"),
]


@pytest.mark.parametrize(("line", "option"), REPEATED)
def test_an_option_with_one_value_is_refused_the_second_time(
    line: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2

    said = complaint(capsys)
    assert said.startswith(f"job-recovery: {option}")
    assert said.endswith(": given 2 times, but it has one value: give it once")


def test_every_time_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--limit", "1", "--limit", "2", "--limit", "3"]) == 2
    assert "--limit: given 3 times" in complaint(capsys)


def parsed(*line: str) -> Namespace:
    return top_parser("", None)[0].parse_args(line)


def test_an_option_with_several_values_is_repeated() -> None:
    jobs = parsed("jobs", "--state", "failed", "--state", "completed", "--limit", "2")
    new = parsed("register", "job-1", "--vm-name", "vm", "--volume", "disk-1", "--volume", "disk-2")
    by_policy = parsed("what-if", "--policy", "a=1", "--policy", "b=2")

    assert (jobs.state, jobs.limit) == (["failed", "completed"], 2)
    assert new.volume_ids == ["disk-1", "disk-2"]
    assert by_policy.policy == ["a=1", "b=2"]


def test_a_switch_says_the_same_the_second_time() -> None:
    assert parsed("jobs", "--json", "--json").json


def test_one_parser_counts_each_command_line_anew() -> None:
    top, _ = top_parser("", None)

    assert [top.parse_args(["jobs", "--limit", "2"]).limit for _ in range(2)] == [2, 2]
