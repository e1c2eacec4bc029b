"""The window of a VMA by its rules alone. Times are sums of powers of two, so every figure is exact."""

import pytest

from adapters.vma.window import Slot, Window

LIMIT, TIMEOUT = 16, 9.0


@pytest.fixture
def window() -> Window:
    return Window(LIMIT, TIMEOUT)


def sent(window: Window, *, alone: bool = False, fills_window: bool = True) -> Slot:
    """Return a request that is sent now."""
    slot = Slot(1, alone=alone, fills_window=fills_window)
    slot.epoch = window.epoch
    return slot


def sizes(window: Window, requests: int) -> list[int]:
    """Return the size after each of so many prompt answers."""
    found = []
    for _ in range(requests):
        window.grow(sent(window))
        found.append(window.size)
    return found


def test_it_begins_with_one_and_grows_by_one_per_answer_up_to_its_limit(window: Window) -> None:
    assert (window.size, window.prompt_limit) == (1, TIMEOUT / 4)

    assert sizes(window, LIMIT + 1) == [*range(2, LIMIT + 1), LIMIT, LIMIT]

    window.restart()
    assert (window.size, sizes(window, 3)) == (1, [2, 3, 4])


def test_it_does_not_grow_by_a_request_that_left_room_or_that_was_sent_before_it_was_cut(window: Window) -> None:
    before = sent(window)
    window.grow(sent(window, fills_window=False))
    assert window.size == 1

    window.halve(sent(window))
    window.grow(before)

    assert window.size == 1
    assert sizes(window, 1) == [2]


def test_it_is_halved_once_per_round_trip_and_grows_slowly_from_there(window: Window) -> None:
    sizes(window, 3)
    one, other = sent(window), sent(window)

    assert (window.halve(one), window.size) == (True, 2)
    assert (window.halve(other), window.size) == (False, 2)

    # 2, and then a half, 1 / 2.5, 1 / 2.9, and so on.
    assert sizes(window, 6) == [2, 2, 3, 3, 3, 4]
    assert (window.halve(sent(window)), window.size) == (True, 2)


def test_it_is_never_less_than_one(window: Window) -> None:
    for _ in range(3):
        assert window.halve(sent(window))
        assert window.size == 1
    window.answered(sent(window), TIMEOUT)
    assert window.size == 1
    assert sizes(window, 3) == [2, 2, 2]


def test_a_request_that_was_never_sent_says_nothing(window: Window) -> None:
    for _ in range(3):
        sizes(window, 1)
        before = window.size

        assert not window.halve(Slot(1, alone=False, fills_window=True))
        window.timed_out(Slot(1, alone=False, fills_window=True))
        window.grow(Slot(1, alone=False, fills_window=True))

        assert window.size == before
        window.halve(sent(window))


def test_after_a_time_out_it_begins_again_and_grows_fast_to_the_half_of_what_it_was(window: Window) -> None:
    sizes(window, 7)
    one, other = sent(window), sent(window)

    window.timed_out(one)
    assert window.size == 1
    assert sizes(window, 5) == [2, 3, 4, 4, 4]

    window.timed_out(other)
    assert window.size == 4


@pytest.mark.parametrize(("latency", "size"), [(0.0, 8), (0.25, 8), (0.75, 6), (1.0, 4), (2.25, 2), (4.5, 1), (8.0, 1)])
def test_the_latency_of_a_request_that_is_alone_limits_how_many_are_answered_in_half_the_time_limit(
    window: Window, latency: float, size: int
) -> None:
    sizes(window, 7)

    assert window.answered(sent(window, alone=True, fills_window=False), latency)

    assert (window.size, window.prompt_limit) == (size, latency + TIMEOUT / 4)


def test_a_faster_answer_beside_others_corrects_that_latency_and_a_slower_one_does_not(window: Window) -> None:
    window.answered(sent(window), 0.5)
    assert window.prompt_limit == TIMEOUT / 4
    window.answered(sent(window, alone=True), 1.0)

    found = []
    for latency in (0.5, 2.0):
        window.answered(sent(window), latency)
        found.append(window.prompt_limit)

    assert found == [0.5 + TIMEOUT / 4] * 2
    window.restart()
    assert window.prompt_limit == TIMEOUT / 4


def test_an_answer_at_the_limit_is_not_prompt_and_shrinks_a_window_that_was_never_measured(window: Window) -> None:
    sizes(window, 3)

    assert not window.answered(sent(window), TIMEOUT / 4)

    # 4 less a quarter; it grows as fast as before.
    assert window.size == 3
    assert sizes(window, 3) == [4, 5, 6]


def test_a_slow_answer_ends_the_fast_growth_and_one_beyond_half_the_time_limit_shrinks_it(window: Window) -> None:
    window.answered(sent(window, alone=True, fills_window=False), 0.5)
    sizes(window, 3)

    assert not window.answered(sent(window), TIMEOUT / 2 - 0.5)
    assert not window.answered(sent(window), TIMEOUT / 2)
    assert (window.size, sizes(window, 5)) == (4, [4, 4, 4, 4, 5])

    window.halve(sent(window))
    sizes(window, 4)
    before = window.size
    assert not window.answered(sent(window), TIMEOUT / 2 + 0.5)
    assert (before, window.size) == (3, 3)
    assert [window.answered(sent(window), TIMEOUT) for _ in range(3)] == [False] * 3
    assert window.size == 2
    # The fast growth had ended at 2 by then.
    assert sizes(window, 2) == [3, 3]
