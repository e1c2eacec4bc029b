"""Strangers use up the connections of the server."""

from contextlib import ExitStack, suppress

import psycopg

from tests.database.enduring import endure
from tests.database.site import Figures, Site, Size, new_site, url_at
from tests.database.truth import check
from tests.support.awake import awake
from tests.support.service import wait_until

SLOTS = "14"
"""Connections of the server, three of which are kept for its superuser."""

NEEDED = 4
"""Connections of a service that starts."""

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'job-recovery writer %%'"
WRITERS = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'job-recovery writer %%'"


def connections(size: Size) -> Figures:
    """Use up the connections before a start, and while the service runs and loses its writer's session."""
    with new_site(size, max_connections=SLOTS) as site, ExitStack() as strangers:
        started = _start(site, strangers)
        names = site.watch(size.jobs)
        wait_until(lambda: _is_replaced(site, strangers), what="a server without a free connection")
        why = site.unready()
        assert "connection" in why, why
        endured = endure(site, "no-connection", size.locked)
        assert len(site.service.logged("event_log_unavailable")) == 1
        strangers.close()
        ready = site.wait_until_ready()
        wait_until(lambda: site.service.logged("event_log_available"), what="a log line that all is well")
        names += [site.register(name) for name in endured.refused]
        polled = site.wait_until_polled()
        found = check(site, names)
    return {
        "started after connections were free": f"{started:.1f} s",
        "said": why[:200],
        **endured.figures(),
        "ready after it": f"{ready:.1f} s",
        "all polled": f"{polled:.1f} s",
        **found,
    }


def _start(site: Site, strangers: ExitStack) -> float:
    """Start without a free connection; return after how many seconds the service was ready when there were some."""
    taken = _take_all(site, strangers)
    site.service.begin()
    told = wait_until(lambda: site.service.logged("event_log_waited_for"), what="a start that waits")
    assert "connection" in told[0]["why"], told
    assert site.service.process.poll() is None
    for one in taken[:NEEDED]:
        one.close()
    began = awake()
    site.service.connect()
    site.wait_until_ready()
    return awake() - began


def _is_replaced(site: Site, strangers: ExitStack) -> bool:
    """End the writer's session, and take its place; return whether the service has not been faster."""
    site.rows(END)
    _take_all(site, strangers)
    return not site.rows(WRITERS)


def _take_all(site: Site, strangers: ExitStack) -> list[psycopg.Connection]:
    """Connect as often as the server lets us."""
    taken: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(url_at(site.cluster.port), connect_timeout=5))
            strangers.callback(taken[-1].close)
    return taken
