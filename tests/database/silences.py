"""The network to the server goes silent: no answer comes, and no connection ends."""

import time
from collections.abc import Callable
from concurrent.futures import Future

import httpx

from tests.database.enduring import end, endure, registrations
from tests.database.site import Figures, Site, Size, new_site
from tests.database.truth import check
from tests.support.postgres_relay import HELD
from tests.support.service import wait_until

AT_ONCE = 8
"""Commands that are outstanding when the service is ended."""

Answers = list[Future[httpx.Response]]


def silence(size: Size) -> Figures:
    """Let the network go silent under commands, polls and reads, and under SIGTERMs; then let it come back."""
    with new_site(size, relayed=True) as site:
        names = site.start_with_jobs(size.jobs)
        relay = site.through
        relay.go_silent()
        why = site.unready()
        endured = endure(site, "silent", size.locked)
        assert len(site.service.logged("event_log_unavailable")) == 1
        relay.resume()
        ready = site.wait_until_ready()
        names += [site.register(name) for name in endured.refused]
        polled = site.wait_until_polled()
        found = check(site, names)
        ends = [_end(site, names, way) for way in (_alone, _under_commands, _in_a_commit, _in_a_recovery)]
        found = check(site, names)
    return {
        "said": why[:200],
        **endured.figures(),
        "ready after it": f"{ready:.1f} s",
        "all polled": f"{polled:.1f} s",
        "ended by SIGTERM in the silence, alone, under commands, in a COMMIT, in a recovery": ", ".join(
            f"{s:.1f} s" for s in ends
        ),
        **found,
    }


def _end(site: Site, names: list[str], way: Callable[[Site], tuple[list[str], Answers]]) -> float:
    """End the service in the silence, start it again when that is over, and make what was refused."""
    asked, answers = way(site)
    seconds = end(site, answers)
    site.through.resume()
    site.service.start()
    # What was refused may be stored all the same: then it is not made a second time.
    names += [site.register(name) for name in asked]
    site.wait_until_polled()
    return seconds


def _alone(site: Site) -> tuple[list[str], Answers]:
    site.through.go_silent()
    site.unready()
    return [], []


def _under_commands(site: Site) -> tuple[list[str], Answers]:
    asked = [f"asked-at-the-end-{n}" for n in range(AT_ONCE)]
    site.through.go_silent()
    answers = registrations(site, asked)
    time.sleep(0.5)
    return asked, answers


def _in_a_commit(site: Site) -> tuple[list[str], Answers]:
    """Hold a COMMIT back, with more commands that wait for it."""
    site.through.lose(HELD, of="held-0")
    answers = registrations(site, ["held-0"])
    wait_until(lambda: site.through.is_silent, what="a COMMIT that is held")
    waiting = [f"waits-for-it-{n}" for n in range(AT_ONCE)]
    return ["held-0", *waiting], [*answers, *registrations(site, waiting)]


def _in_a_recovery(site: Site) -> tuple[list[str], Answers]:
    """Go silent while the service reads its jobs."""
    site.service.kill()
    site.service.start(ready=False)
    site.through.go_silent()
    time.sleep(3.0)
    return [], []
