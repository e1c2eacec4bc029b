"""The speed of a job is the mean of its last one to two minutes."""

import pytest

from domain.processes.throughput import WINDOW, Sample, Throughput


def after(*samples: tuple[float, float | None, int | None]) -> Throughput:
    throughput = Throughput()
    for sample in samples:
        throughput.add(Sample(*sample))
    return throughput


@pytest.mark.parametrize("samples", [(), ((0, 10, 100),), ((5, 10, 100), (5, 10, 100))])
def test_before_the_second_poll_nothing_is_known(samples: tuple[tuple[float, float, int]]) -> None:
    throughput = after(*samples)

    assert (throughput.bytes_per_second, throughput.seconds_left) == (None, None)


def test_the_speed_is_what_was_copied_by_the_time_that_it_took() -> None:
    throughput = after((100, 10, 1000), (105, 12, 1200), (110, 14, 1400))

    assert throughput.bytes_per_second == 40
    assert throughput.seconds_left == pytest.approx(86 / 0.4)


def test_a_speed_of_long_ago_does_not_count() -> None:
    fast = [(float(at), at * 0.1, at * 1000) for at in range(0, 121, 5)]
    slow = [(120.0 + at, 12 + at * 0.01, 120_000 + at * 100) for at in range(5, 181, 5)]

    throughput = after(*fast, *slow)

    assert throughput.bytes_per_second == pytest.approx(100)
    assert throughput.window is not None
    assert WINDOW <= 300 - throughput.window.earlier.at <= 2 * WINDOW


def test_a_job_that_stands_still_has_the_speed_zero_and_no_end() -> None:
    throughput = after((0, 50, 500), (30, 50, 500))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (0, None)


def test_without_bytes_the_end_is_estimated_from_the_percentage() -> None:
    throughput = after((0, 50, None), (10, 60, None))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (None, 40)


@pytest.mark.parametrize("fallen", [(20, 5, 300), (20, 70, 30)])
def test_figures_that_fall_begin_anew(fallen: tuple[float, float, int]) -> None:
    throughput = after((0, 50, 100), (10, 60, 200), fallen, (30, fallen[1] + 1, fallen[2] + 50))

    assert throughput.bytes_per_second == 5
    assert throughput.seconds_left == pytest.approx((99 - fallen[1]) * 10)


def test_a_finished_job_has_no_time_left() -> None:
    assert after((0, 90, 900), (10, 100, 1000)).seconds_left == 0


def test_a_percentage_that_was_not_known_is_not_taken_for_zero() -> None:
    throughput = after((0, None, 500), (5, 40, 600))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (20, None)


def test_a_poll_without_figures_does_not_begin_the_mean_anew() -> None:
    throughput = after((0, 40, 400), (5, None, None), (10, 50, 500))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (10, 50)


@pytest.mark.parametrize(("at", "speed"), [(59.5, 200.0), (60.0, 200.0), (119.5, 500.0), (120.0, 800.0)])
def test_the_mean_leaves_out_what_is_older_than_a_window_from_the_second_window_on(at: float, speed: float) -> None:
    """200 bytes a second in the first minute, 800 in the second, polled at its end or just before."""
    first = min(at, WINDOW)
    copied = int(200 * first + 800 * (at - first))

    throughput = after((0, 0, 0), *([(first, 10, int(200 * first))] if at > first else []), (at, 20, copied))

    assert throughput.bytes_per_second == pytest.approx(speed, rel=0.01)


@pytest.mark.parametrize("still", [(10, 50, 600), (10, 60, 500), (10, None, 600), (10, 60, None)])
def test_a_figure_that_stays_or_is_not_given_does_not_begin_the_mean_anew(
    still: tuple[float, float | None, int | None],
) -> None:
    throughput = after((0, 50, 500), still, (20, 70, 700))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (10, 30)


def test_speed_and_end_are_not_rounded() -> None:
    throughput = after((0, 10, 100), (8, 40, 400))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (37.5, 16)
    assert after((0, 10, 100), (1, 41, 400)).seconds_left == pytest.approx(59 / 31)


def test_polls_that_are_further_apart_than_a_window_leave_out_what_is_older_than_the_last_two() -> None:
    assert after((0, 0, 0), (70, 10, 7000), (140, 20, 42_000)).bytes_per_second == 500


@pytest.mark.parametrize(("before", "now"), [(None, 600), (500, None)])
def test_bytes_that_one_of_the_polls_did_not_give_are_not_taken_for_zero(before: int | None, now: int | None) -> None:
    throughput = after((0, 40, before), (5, 50, now))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (None, 25)


@pytest.mark.parametrize(("before", "now"), [(40, None), (None, 40)])
def test_nor_is_a_percentage(before: float | None, now: float | None) -> None:
    assert after((0, before, 500), (5, now, 600)).seconds_left is None


def test_figures_that_have_fallen_behind_a_poll_without_them_begin_anew() -> None:
    throughput = after((0, 50, 500), (5, None, None), (10, 40, 400))
    assert (throughput.bytes_per_second, throughput.seconds_left) == (None, None)

    throughput.add(Sample(20, 50, 600))

    assert (throughput.bytes_per_second, throughput.seconds_left) == (20, 50)
