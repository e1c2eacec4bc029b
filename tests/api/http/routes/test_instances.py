"""The instances: how far each is behind what any of them knows of the log."""

from types import SimpleNamespace
from typing import cast

import msgspec

from api.cli.tables import instances_table
from api.http.routes.instances import list_instances
from api.runtime.bootstrap import Service
from domain.ports import Reached, Survey
from tests.support.builders import NOON, instance
from tests.support.clock import FakeClock


def service(position: int, head: int, *others: tuple[str, Reached | None]) -> Service:
    """Return a service whose read model is at a position, and which last saw these other instances."""
    seen = tuple(msgspec.structs.replace(instance(name), reached=reached) for name, reached in others)
    ownership = SimpleNamespace(survey=Survey(instance("me"), seen), unwatched={})
    projector = SimpleNamespace(position=position, head=head)
    return cast("Service", SimpleNamespace(ownership=ownership, projector=projector, clock=FakeClock()))


async def lags(of: Service) -> dict[str, int | None]:
    return {one.id: one.lag_events for one in (await list_instances(of)).items}


async def test_each_is_as_far_behind_as_the_one_that_knows_most_and_that_of_an_earlier_release_is_not_known() -> None:
    behind, ahead = Reached(position=3, head=5, told_at=NOON), Reached(position=9, head=10, told_at=NOON)

    found = service(7, 8, ("behind", behind), ("ahead", ahead), ("earlier", None))

    assert await lags(found) == {"me": 3, "behind": 7, "ahead": 1, "earlier": None}
    shown = await list_instances(found)
    assert {one.id: one.position for one in shown.items} == {"me": 7, "behind": 3, "ahead": 9, "earlier": None}
    assert {one.id for one in shown.items if one.told_at == NOON} >= {"behind", "ahead"}


async def test_the_only_one_is_behind_what_it_knows_itself() -> None:
    assert await lags(service(0, 40)) == {"me": 40}
    assert await lags(service(40, 40)) == {"me": 0}


async def test_the_table_has_a_question_mark_where_it_is_not_known() -> None:
    found = await list_instances(service(7, 8, ("earlier", None)))

    drawn = instances_table(found.model_dump(mode="json")).drawn(200).plain.splitlines()

    assert {line.split()[0]: line.split()[-2] for line in drawn[2:]} == {"me": "1", "earlier": "?"}
