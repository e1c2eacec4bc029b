"""A rolling upgrade: one instance after the other is ended and started again, while clients register and read jobs."""

import time
from collections.abc import Callable
from functools import partial

import msgspec

from tests.instances.load import Load
from tests.instances.scenarios import Figures, Size, running_site
from tests.instances.site import LONG_ENOUGH, Site
from tests.instances.truth import check
from tests.support.service import ServiceProcess, wait_until

STEADY = 12.0
"""Seconds of polling before and after the restarts: two intervals, so that every job is polled at its usual pace."""


def upgrade(size: Size) -> Figures:
    """Restart each instance, and for comparison a single one that has as many jobs.

    The next one is ended as soon as the last is ready and owns a share, like by an orchestrator; or, in another
    upgrade, when it has recovered its jobs, too.

    The processes import nothing when they start. So a restart of the single one is shorter than a real one, while
    the others go on meanwhile in an upgrade.
    """
    return {
        "each as soon as the last is ready": _restart_each(size, _owns_a_share),
        "each when the last has recovered": _restart_each(size, _has_recovered),
        "a single instance": _restart_each(msgspec.structs.replace(size, instances=1), _owns_a_share),
    }


def _restart_each(size: Size, is_back: Callable[[Site, ServiceProcess], bool]) -> list[str]:
    with running_site(size) as site:
        with Load(site) as load:
            time.sleep(STEADY)
            usual = site.unpolled()
            took = [f"{_restart(site, instance, is_back):.1f} s" for instance in site.instances]
            time.sleep(STEADY)
        site.names += load.registered
        site.settle()
        unpolled = site.unpolled()
        events = check(site)
    return [
        f"longest time unpolled: {unpolled:.1f} s, and {usual:.1f} s before",
        f"back after: {', '.join(took)}",
        f"registered meanwhile: {len(load.registered)}, acknowledged within {load.slowest:.1f} s",
        f"reads meanwhile: {load.reads}, not answered: {load.unanswered}",
        f"events: {events}",
    ]


def _restart(site: Site, instance: ServiceProcess, is_back: Callable[[Site, ServiceProcess], bool]) -> float:
    """End and start an instance; return after how many seconds it is back."""
    began = time.monotonic()
    assert instance.terminate() == 0
    instance.start()
    wait_until(partial(is_back, site, instance), LONG_ENOUGH, "a share of its own, or its recovery", every=0.1)
    return time.monotonic() - began


def _owns_a_share(site: Site, instance: ServiceProcess) -> bool:
    return any(one["vmas"] for one in site.shares(instance) if one["address"] == instance.url)


def _has_recovered(_: Site, instance: ServiceProcess) -> bool:
    return bool(instance.completed("restart"))
