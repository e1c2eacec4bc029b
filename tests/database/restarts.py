"""The server ends without a shutdown, again and again: while jobs are registered, and while they are recovered."""

from functools import partial

from tests.database.oma import OMA
from tests.database.site import Figures, Site, Size, new_site, repeat
from tests.database.truth import check
from tests.support.service import wait_until

PER_SECOND = 10
RESTARTS = 2
"""How often the server is restarted within each recovery."""

DECIDED = """
SELECT count(DISTINCT originator_id) FROM {}.stored_events
WHERE topic = 'RecoveryDecided' AND notification_id > %s
"""
HEAD = "SELECT coalesce(max(notification_id), 0) FROM {}.stored_events"


def restarts(size: Size) -> Figures:
    """Restart the server (`-m immediate`) while jobs are polled and registered."""
    with new_site(size) as site:
        names = site.start_with_jobs(size.jobs)
        with OMA(site, PER_SECOND) as oma:
            count = repeat(site.cluster.restart, size.restart_every, size.seconds)
            ready = site.wait_until_ready()
        polled = site.wait_until_polled()
        found = check(site, [*names, *oma.acknowledged])
    return {
        "restarts": count,
        **found,
        "refused": dict(oma.refused),
        "slowest answer": f"{oma.slowest:.1f} s",
        "ready after the last one": f"{ready:.1f} s",
        "all polled": f"{polled:.1f} s",
    }


def recovery(size: Size) -> Figures:
    """Kill the service, and restart the server while it recovers its jobs."""
    within: list[int] = []
    with new_site(size) as site:
        names = site.start_with_jobs(size.jobs)
        for _ in range(size.recoveries):
            within += _recover(site, len(names))
        ready = site.wait_until_ready()
        polled = site.wait_until_polled()
        wait_until(lambda: site.service.completed("restart"), what="the end of the run")
        found = check(site, names)
    return {
        "recoveries": size.recoveries,
        "jobs decided at each restart of the server": within,
        **found,
        "ready after the last one": f"{ready:.1f} s",
        "all polled": f"{polled:.1f} s",
    }


def _recover(site: Site, jobs: int) -> list[int]:
    """Kill and start the service, and restart the server when a part of the jobs is decided; return the parts."""
    site.service.kill()
    ((before,),) = site.rows(HEAD)
    site.service.start(ready=False)
    parts = []
    for number in range(RESTARTS):
        wanted = jobs * (2 * number + 1) // (2 * RESTARTS + 1)
        parts.append(wait_until(partial(decided, site, before, wanted), what="decisions", every=0.01))
        site.cluster.restart()
    site.wait_until_ready()
    return parts


def decided(site: Site, since: int, wanted: int) -> int | None:
    """Return how many jobs are decided after a position, if it is as many as wanted."""
    ((count,),) = site.rows(DECIDED, since)
    return int(count) if count >= wanted else None
