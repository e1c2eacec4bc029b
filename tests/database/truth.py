"""What must be true of the log and of every answer when the faults are over."""

from collections import Counter
from collections.abc import Collection

from adapters.event_log import seals
from adapters.event_log.postgres_store import database_of
from adapters.event_log.postgres_stored_log import stored_log
from tests.database.site import SCHEMA, Figures, Site
from tests.support.service import wait_until

REGISTERED = "SELECT originator_id, count(*) FROM {}.stored_events WHERE topic = 'JobRegistered' GROUP BY 1"
POSITIONS = "SELECT count(*), coalesce(max(notification_id), 0) FROM {}.stored_events"
REVISED = "SELECT originator_id FROM {}.stored_events WHERE topic = 'OutcomeRevised'"


def check(site: Site, acknowledged: Collection[str]) -> Figures:
    """Check that nothing is lost, doubled or falsely decided; return the figures.

    Raises:
        AssertionError: something is.

    """
    registered = dict(site.rows(REGISTERED))
    lost = set(acknowledged) - registered.keys()
    assert not lost, f"acknowledged and not stored: {sorted(lost)[:5]}"
    twice = [name for name, count in registered.items() if count != 1]
    assert not twice, f"stored twice: {twice[:5]}"
    ((count, head),) = site.rows(POSITIONS)
    assert count == head, f"{count} events, and the last one is at position {head}"
    _check_seals(site, count)
    _check_decisions(site)
    wait_until(lambda: _newest(site) >= head, what="a current read model")
    states = Counter(job["state"] for job in site.service.jobs())
    assert set(states) == {"replicating"}, f"every worker runs, and the service shows {dict(states)}"
    assert states.total() == len(registered)
    return {"acknowledged and stored": len(acknowledged), "events": count}


def _check_seals(site: Site, count: int) -> None:
    with stored_log(database_of(site.cluster.url, SCHEMA)) as log:
        verdict = seals.verify(log, whole=False)
    assert verdict.broken_at is None, verdict
    assert verdict.events >= count


def _check_decisions(site: Site) -> None:
    entries = site.service.pages("/api/v1/audit", type="RecoveryDecided")
    decided = Counter((entry["job_id"], entry["run_id"]) for entry in entries)
    assert set(decided.values()) <= {1}, f"decided twice: {decided.most_common(3)}"
    wrong = site.rows(REVISED)
    assert not wrong, f"decided wrongly at first: {wrong[:3]}"


def _newest(site: Site) -> int:
    position: int = site.service.get("/api/v1/audit", limit=1).json()["items"][0]["position"]
    return position
