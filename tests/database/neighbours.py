"""What a site sets for a role in its own database."""

import time

import psycopg

from tests.database.site import ROLE, SCHEMA, Figures, Size, new_site
from tests.database.truth import check

LIMITS = ("statement_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
NEWER_LIMIT = "transaction_timeout"
"""Known since version 17."""

PAUSES = 3


def limits(size: Size) -> Figures:
    """Set the role's time limits to 500 ms."""
    with new_site(size) as site:
        known = [name for (name,) in site.rows("SELECT name FROM pg_settings WHERE name = %s", NEWER_LIMIT)]
        for name in (*LIMITS, *known):
            site.cluster.execute(f"ALTER ROLE {ROLE} SET {name} = '500ms'")
        names = site.start_with_jobs(size.jobs)
        for number in range(PAUSES):
            # Longer than each limit: a session that has one would end.
            time.sleep(1.0)
            names.append(site.register(f"after-a-pause-{number}"))
        assert not site.service.logged("event_log_unavailable")
        with psycopg.connect(site.cluster.url) as stranger:
            stranger.execute(f"LOCK TABLE {SCHEMA}.stored_events")
            _, seconds = site.refusal("refused")
        site.wait_until_ready()
        site.service.kill()
        site.service.start()
        site.wait_until_polled()
        return {"limits": [*LIMITS, *known], "a lock is waited for": f"{seconds:.1f} s", **check(site, names)}
