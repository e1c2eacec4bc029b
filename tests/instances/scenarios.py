"""What is done to the instances and to their database. Each scenario returns what was seen."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from tests.instances.site import SCHEMA, Site
from tests.instances.truth import check
from tests.support.service import ServiceProcess, wait_until

Figures = dict[str, object]

LATE = 10.0
"""Seconds until an instance that was killed is started again, in which others take over."""

TAKEN_OVER = "SELECT count(*) FROM {}.stored_events WHERE topic = 'RecoveryDecided' AND notification_id > %s"
HEAD = "SELECT coalesce(max(notification_id), 0) FROM {}.stored_events"


class Size(msgspec.Struct, frozen=True):
    """How much of it there is. `stopped` is for how many seconds an instance, or the server, stands still."""

    instances: int
    vmas: int
    jobs: int
    rounds: int
    restarts: int
    stopped: float
    seed: int


def hazards(size: Size) -> Figures:
    """Kill, stop, end and start instances at random."""
    chance = random.Random(size.seed)
    seen: list[str] = []
    with running_site(size) as site:
        for _ in range(size.rounds):
            hazard, which = chance.choice(HAZARDS), chance.randrange(size.instances)
            hazard(site.instances[which], size)
            site.settle()
            seen.append(f"{hazard.__name__} {which}: {site.unpolled():.1f} s")
        events = check(site)
    return {"longest time unpolled": seen, "events": events}


def server_restarts(size: Size) -> Figures:
    """Restart the server without a shutdown in the middle of a takeover."""
    within: list[int] = []
    with running_site(size) as site:
        for _ in range(size.restarts):
            site.settle()
            ((before,),) = site.cluster.execute(HEAD.format(SCHEMA))
            site.instances[1].kill()
            share = size.jobs // size.instances
            within.append(wait_until(partial(_taken, site, before, share // 3), what="a third taken over", every=0.01))
            site.cluster.restart()
            site.instances[1].start()
        site.settle()
        unpolled = site.unpolled()
        events = check(site)
    return {"jobs taken over at each restart": within, "longest time unpolled": f"{unpolled:.1f} s", "events": events}


def cut(size: Size) -> Figures:
    """Cut one instance off from the database, without an end of its connections."""
    with running_site(size) as site:
        first = site.instances[0]
        lost = owned_by_first(site)
        ((before,),) = site.cluster.execute(HEAD.format(SCHEMA))
        began = time.monotonic()
        site.relay.go_silent()
        wait_until(partial(are_owned_by_others, site, lost), 60, "other owners", every=0.1)
        took = time.monotonic() - began
        by_others = {one["address"] for one in site.shares(site.instances[1])}
        assert first.url not in by_others
        site.relay.resume()
        site.settle()
        unpolled = site.unpolled()
        events = check(site)
    return {
        "VMAs with another owner after": f"{took:.1f} s",
        "events since": events - before,
        "longest time unpolled": f"{unpolled:.1f} s",
    }


def freeze(size: Size) -> Figures:
    """Freeze the whole server for a while: it answers nobody, and ends no connection. One clock is an hour ahead."""
    with running_site(size, ahead=True) as site:
        owners, runs = _owners(site), _takeovers(site)
        with site.cluster.frozen():
            time.sleep(size.stopped)
        site.settle()
        assert _owners(site) == owners, "owners have changed"
        assert _takeovers(site) == runs, "there was a takeover"
        ended = [line for one in site.instances for line in one.logged("instance_stopped")]
        assert not ended, ended
        unpolled = site.unpolled()
        events = check(site)
    return {"longest time unpolled": f"{unpolled:.1f} s", "events": events}


def kill(instance: ServiceProcess, _: Size) -> None:
    """Kill an instance, and start it again."""
    instance.kill()
    instance.start()


def kill_and_start_late(instance: ServiceProcess, _: Size) -> None:
    """Kill an instance, and start it when others have taken over."""
    instance.kill()
    time.sleep(LATE)
    instance.start()


def end(instance: ServiceProcess, _: Size) -> None:
    """End an instance, and start it again."""
    assert instance.terminate() == 0
    instance.start()


def stop(instance: ServiceProcess, size: Size) -> None:
    """Stop an instance for a while."""
    os.kill(instance.process.pid, signal.SIGSTOP)
    time.sleep(size.stopped)
    os.kill(instance.process.pid, signal.SIGCONT)


HAZARDS: Sequence[Callable[[ServiceProcess, Size], None]] = (kill, kill_and_start_late, end, stop)


@contextmanager
def running_site(size: Size, kind: type[Site] = Site, *, ahead: bool = False) -> Iterator[Site]:
    """Run a site for a block. All of its jobs are registered, and polled."""
    with kind(size.instances, size.vmas, size.jobs, ahead=ahead) as site:
        site.register()
        site.unpolled()
        yield site


def _taken(site: Site, since: int, wanted: int) -> int | None:
    ((count,),) = site.cluster.execute(TAKEN_OVER.format(SCHEMA), since)
    return int(count) if count >= wanted else None


def owned_by_first(site: Site) -> list[str]:
    """Return the VMAs of the first instance, as it shows them."""
    return _owners(site)[site.instances[0].url]


def are_owned_by_others(site: Site, wanted: Sequence[str]) -> bool:
    """Return whether others own these VMAs of the first instance."""
    first = site.instances[0].url
    others = [vma for one in site.shares(site.instances[1]) if one["address"] != first for vma in one["vmas"]]
    return set(wanted) <= set(others)


def _takeovers(site: Site) -> list[str]:
    return [run["run_id"] for one in site.instances for run in one.completed("takeover")]


def _owners(site: Site) -> dict[str, list[str]]:
    return {one["address"]: one["vmas"] for one in site.shares(site.instances[0])}
