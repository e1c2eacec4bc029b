"""Which VMAs an instance takes, keeps and hands over, by what it sees of the others."""

import msgspec
import pytest

from domain.errors import StorageUnavailable
from domain.ownership import FREE_FOR, REST, Ownership
from domain.ports import Instance, Survey
from tests.support.builders import instance


class Seats:
    """The instances as a test sets them; `me` owns what it claims."""

    known = None

    def __init__(self, *vmas: str) -> None:
        self.me = instance("me", *vmas)
        self.others: list[Instance] = []
        self.refuses_to_claim: set[str] = set()
        self.goes_away_after: set[str] = set()
        self.is_away = False
        self.stopped: frozenset[str] = frozenset()
        self.is_new = True

    async def survey(self) -> Survey:
        self._answer()
        is_new, self.is_new = self.is_new, False
        holders = dict.fromkeys(self.refuses_to_claim, "a stranger")
        return Survey(self.me, tuple(self.others), is_new, self.stopped, holders)

    async def claim(self, share: str) -> bool:
        self._answer()
        self.is_away = share in self.goes_away_after
        if share in self.refuses_to_claim:
            return False
        self.me = msgspec.structs.replace(self.me, owns=self.me.owns | {share})
        return True

    async def release(self, share: str) -> None:
        self._answer()
        self.me = msgspec.structs.replace(self.me, owns=self.me.owns - {share})

    def set_others(self, **owns: set[str]) -> None:
        vmas = tuple(sorted(self.me.vmas))
        self.others = [instance(name, *vmas, owns=frozenset(shares)) for name, shares in owns.items()]

    def _answer(self) -> None:
        if self.is_away:
            raise StorageUnavailable("the server is away")


async def look(ownership: Ownership) -> set[str] | None:
    """Return the shares of which an instance watches more after a look."""
    more = await ownership.look()
    return None if more is None else set(more)


async def test_an_instance_alone_takes_everything_at_once_and_nothing_more_later() -> None:
    seats = Seats("a", "b")
    ownership = Ownership(seats)

    assert await look(ownership) == {"a", "b", REST}
    assert await look(ownership) is None
    assert (set(ownership.owned), ownership.surplus()) == ({"a", "b", REST}, None)


async def test_it_takes_only_as_long_as_no_other_owns_fewer() -> None:
    seats = Seats("a", "b", "c")
    seats.set_others(other=set())

    assert len(await Ownership(seats).look() or ()) == 1


async def test_it_hands_over_one_share_at_a_time_until_the_counts_are_even() -> None:
    seats = Seats("a", "b", "c")
    ownership = Ownership(seats)
    await ownership.look()
    seats.set_others(other=set())
    await ownership.look()
    first = ownership.surplus()
    assert first is not None

    ownership.leave(first)

    assert (ownership.owns(first), ownership.surplus()) == (False, None)
    assert await look(ownership) is None
    assert not ownership.owns(first), "it is not taken back meanwhile"
    await ownership.release(first)
    await ownership.look()
    assert ownership.surplus() is None, "nobody has taken the first one yet"
    seats.set_others(other={first})
    await ownership.look()
    assert ownership.surplus() is not None
    seats.set_others(other={first, "b"})
    await ownership.look()
    assert ownership.surplus() is None


async def test_a_share_that_could_not_be_handed_over_is_watched_again() -> None:
    seats = Seats("a", "b", "c")
    ownership = Ownership(seats)
    await ownership.look()
    ownership.leave("a")
    seats.is_away = True
    with pytest.raises(StorageUnavailable):
        await ownership.release("a")
    seats.is_away = False

    assert await look(ownership) == {"a"}
    assert ownership.owns("a")


async def test_nothing_is_handed_over_to_an_instance_that_does_not_have_the_vma_in_its_settings() -> None:
    seats = Seats("a", "b", "c")
    ownership = Ownership(seats)
    await ownership.look()
    ownership.leave(REST)
    await ownership.release(REST)
    seats.others = [instance("other", "z", owns=frozenset({REST}))]
    await ownership.look()

    assert (set(ownership.owned), ownership.surplus()) == ({"a", "b", "c"}, None)


async def test_what_is_lost_is_dropped_at_one_look_and_taken_up_anew_at_the_next() -> None:
    seats = Seats("a")
    ownership = Ownership(seats)
    await ownership.look()
    seats.me = msgspec.structs.replace(seats.me, owns=frozenset())

    assert await look(ownership) == set()
    assert not ownership.owns("a")
    assert await look(ownership) == {"a", REST}


async def test_a_share_whose_owner_has_lost_its_connection_is_taken_at_once() -> None:
    seats = Seats("a")
    seats.set_others(other={"a", REST})
    ownership = Ownership(seats)
    for _ in range(FREE_FOR):
        await ownership.look()
    seats.others = []

    assert await look(ownership) == {"a", REST}


async def test_after_a_restart_of_the_database_it_is_left_to_its_last_owner_for_some_surveys() -> None:
    seats = Seats("a")
    seats.set_others(other={"a", REST})
    ownership = Ownership(seats)
    for _ in range(FREE_FOR):
        await ownership.look()
    seats.others, seats.is_new = [], True
    for _ in range(FREE_FOR):
        assert await look(ownership) is None

    assert await look(ownership) == {"a", REST}


async def test_an_owner_that_is_back_after_a_restart_of_the_database_keeps_its_share() -> None:
    seats = Seats("a")
    seats.set_others(other={"a", REST})
    ownership = Ownership(seats)
    await ownership.look()
    seats.others, seats.is_new = [], True
    await ownership.look()
    seats.set_others(other={"a", REST})

    for _ in range(2 * FREE_FOR):
        assert await look(ownership) is None


async def test_after_a_restart_of_the_database_only_the_share_of_an_owner_that_has_stopped_is_taken_at_once() -> None:
    seats = Seats("a", "b")
    seats.set_others(stopped={"a"}, other={"b", REST})
    ownership = Ownership(seats)
    await ownership.look()
    seats.others, seats.stopped, seats.is_new = [], frozenset({"stopped"}), True

    assert await look(ownership) == {"a"}
    for _ in range(FREE_FOR - 1):
        assert await look(ownership) is None
    assert await look(ownership) == {"b", REST}


async def test_a_share_that_a_connected_owner_has_released_is_taken_at_once() -> None:
    seats = Seats("a")
    seats.set_others(other={"a", REST})
    ownership = Ownership(seats)
    await ownership.look()
    seats.set_others(other={REST})

    assert await look(ownership) == {"a"}


async def test_a_share_that_another_gets_first_is_not_owned() -> None:
    seats = Seats("a")
    seats.refuses_to_claim = {"a"}
    ownership = Ownership(seats)

    assert await look(ownership) == {REST}
    assert (ownership.owns("a"), ownership.owns("elsewhere")) == (False, True)


async def test_what_nobody_watches_is_told_with_the_session_that_keeps_it() -> None:
    seats = Seats("a", "b")
    ownership = Ownership(seats)
    assert ownership.unwatched == {}
    seats.refuses_to_claim = {"a"}
    seats.set_others(other={"b"})
    await ownership.look()
    assert ownership.unwatched == {"a": "a stranger"}
    seats.set_others()
    await ownership.look()
    assert ownership.unwatched == {"a": "a stranger", "b": None}
    seats.set_others(other={"a", "b"})
    await ownership.look()
    assert ownership.unwatched == {}


async def test_a_vma_that_is_in_nobodys_settings_any_more_is_taken_up_with_the_rest() -> None:
    seats = Seats("a")
    seats.others = [instance("other", "z", owns=frozenset({"z"}))]
    ownership = Ownership(seats)
    await ownership.look()
    assert (set(ownership.owned), ownership.owns("z"), ownership.share_of("z")) == ({"a", REST}, False, "z")
    assert ownership.owner_of("z") is not None

    seats.others = []

    assert await look(ownership) == {REST}
    assert (ownership.owns("z"), ownership.owner_of("z")) == (True, None)


async def test_what_was_claimed_before_the_server_went_away_is_taken_up_when_it_is_back() -> None:
    seats = Seats("a", "b")
    seats.goes_away_after = {REST}
    ownership = Ownership(seats)
    with pytest.raises(StorageUnavailable):
        await ownership.look()
    seats.is_away, seats.goes_away_after = False, set()

    assert await look(ownership) == {REST, "a", "b"}


async def test_a_share_that_nobody_can_take_keeps_no_other_from_being_handed_over() -> None:
    seats = Seats("a", "b", "c")
    seats.set_others(other={"a"})
    ownership = Ownership(seats)
    await ownership.look()
    seats.refuses_to_claim = {"a"}
    seats.set_others(other=set())
    seats.me = msgspec.structs.replace(seats.me, owns=frozenset({"b", "c", REST}))
    for _ in range(3 * FREE_FOR):
        await ownership.look()

    assert ownership.surplus() is not None


async def test_without_an_answer_everything_stays_as_it_was() -> None:
    seats = Seats("a")
    ownership = Ownership(seats)
    await ownership.look()
    seats.is_away = True

    with pytest.raises(StorageUnavailable):
        await ownership.look()

    assert set(ownership.owned) == {"a", REST}
