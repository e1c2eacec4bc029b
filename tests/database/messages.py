"""The way to the server resets, swallows or delays every N-th message."""

from tests.database.oma import OMA
from tests.database.restarts import HEAD, decided
from tests.database.site import Figures, Site, Size, new_site
from tests.database.truth import check
from tests.support.awake import awake
from tests.support.postgres_relay import CUT, DELAY, SWALLOW
from tests.support.service import wait_until

EVERY = {CUT: 53, SWALLOW: 101, DELAY: 29}
"""The N of each. No message comes in such a rhythm, so each kind of message is met."""

PER_SECOND = 5
WITHIN = 120.0
"""Seconds within which everything is acknowledged."""


def messages(size: Size) -> Figures:
    """Disturb every N-th message while jobs are registered, and while they are recovered; each way, and all in turn."""
    with new_site(size, relayed=True) as site:
        names = site.start_with_jobs(size.jobs)
        seen = {}
        for number, ways in enumerate([(CUT,), (SWALLOW,), (DELAY,), (CUT, SWALLOW, DELAY)]):
            seen[", ".join(ways)], made = _registered(site, size.seconds, ways, f"new-{number}")
            names += made
        recovered = [_recovered(site, ways) for ways in [(CUT,), (SWALLOW,), (DELAY,)]]
        found = check(site, names)
        disturbed = dict(site.through.disturbed)
    return {"disturbed": disturbed, **seen, "ready after faults within recoveries": ", ".join(recovered), **found}


def _registered(site: Site, seconds: float, ways: tuple[str, ...], name: str) -> tuple[str, list[str]]:
    """Register under faults; return what was seen, and the jobs that are acknowledged."""
    with OMA(site, PER_SECOND, name, within=WITHIN) as oma:
        site.through.disturb(EVERY[ways[0]], *ways)
        end = awake() + seconds
        wait_until(lambda: awake() > end, seconds + 60, every=0.2)
        site.through.disturb(0)
        ready = site.wait_until_ready()
    polled = site.wait_until_polled()
    slowest = f"slowest answer {oma.slowest:.1f} s, ready after {ready:.1f} s, all polled after {polled:.1f} s"
    return f"{len(oma.acknowledged)} acknowledged, {oma.refused.total()} refused, {slowest}", oma.acknowledged


def _recovered(site: Site, ways: tuple[str, ...]) -> str:
    """Kill the service, and disturb its messages until all jobs are decided; return how soon it was ready after.

    From when it has read its jobs: two queries for each job are more messages than there are between two faults.
    """
    site.service.kill()
    ((before,),) = site.rows(HEAD)
    open_jobs = len(site.registered())
    site.service.start(ready=False)
    wait_until(lambda: site.service.logged("recovery_initialised"), what="jobs that are read", every=0.01)
    site.through.disturb(EVERY[ways[0]], *ways)
    wait_until(lambda: decided(site, before, open_jobs), WITHIN, "a decision for each job", every=0.1)
    site.through.disturb(0)
    ready = site.wait_until_ready()
    site.wait_until_polled()
    return f"{ready:.1f} s"
