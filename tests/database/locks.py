"""Strangers lock the tables of the log."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import psycopg

from tests.database.enduring import Endured, endure
from tests.database.oma import OMA
from tests.database.site import ANSWER, SCHEMA, Figures, Site, Size, new_site
from tests.database.truth import check

PER_SECOND = 5
"""Registrations by an OMA meanwhile."""

PART = 6
"""The first kind of lock is held as long as the size says, and the others this part of it."""

KINDS = {
    "the table of events, while a query runs": "LOCK TABLE {0}.stored_events; SELECT pg_sleep(600)",
    "the table of events, idle in transaction": "LOCK TABLE {0}.stored_events",
    "the table of events, against writers only": "LOCK TABLE {0}.stored_events IN SHARE MODE",
    "the seals": "LOCK TABLE {0}.seals",
    "behind one that waits for a reader": "SELECT FROM {0}.stored_events LIMIT 1",
}
BEHIND = "LOCK TABLE {0}.stored_events"


def lock(size: Size) -> Figures:
    """Lock the tables in every way while an OMA registers; the process that holds them is named."""
    with new_site(size) as site:
        names = site.start_with_jobs(size.jobs)
        seen = {}
        for number, kind in enumerate(KINDS):
            seconds = size.locked / (PART if number else 1)
            seen[kind], made = _locked(site, kind, seconds, f"lock-{number}")
            names += made
        site.service.kill()
        site.service.start()
        polled = site.wait_until_polled()
        found = check(site, names)
    return {
        **{kind: ", ".join(f"{what} {value}" for what, value in one.items()) for kind, one in seen.items()},
        "all polled after a restart": f"{polled:.1f} s",
        **found,
    }


def _locked(site: Site, kind: str, seconds: float, name: str) -> tuple[Figures, list[str]]:
    """Hold one kind of lock; return what was seen, and the jobs that are registered in the end."""
    with OMA(site, PER_SECOND, name) as oma:
        with _held(site, kind) as pid:
            why = site.unready()
            assert f"PostgreSQL process {pid}" in why, why
            endured = endure(site, f"{name}-refused", seconds)
            _check_told(endured, pid)
        ready = site.wait_until_ready()
    assert oma.slowest < ANSWER * site.slack, f"a registration was answered after {oma.slowest:.1f} s"
    made = [site.register(job) for job in endured.refused]
    site.wait_until_polled()
    check(site, [*made, *oma.acknowledged])
    figures = {**endured.figures(), "OMA's slowest answer": f"{oma.slowest:.1f} s", "ready after it": f"{ready:.1f} s"}
    return {**figures, "OMA's refusals": oma.refused.total()}, [*made, *oma.acknowledged]


def _check_told(endured: Endured, pid: int) -> None:
    """Check that the lock was the reason of each refusal; one may tell of the reading that waited for it."""
    unnamed = [why for why in endured.why if "lock" not in why]
    assert not unnamed, unnamed[:3]
    assert any(f"PostgreSQL process {pid}" in why for why in endured.why), list(endured.why)[:3]


@contextmanager
def _held(site: Site, kind: str) -> Iterator[int]:
    """Hold a lock for a block; yield the server's process that has it."""
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(site.cluster.url, application_name="a stranger"))
        held, _, query = KINDS[kind].format(SCHEMA).partition("; ")
        holder.execute(held.encode())
        if query:
            _run(stack, holder, query)
        if kind.startswith("behind"):
            other = stack.enter_context(psycopg.connect(site.cluster.url, application_name="another stranger"))
            _run(stack, other, BEHIND.format(SCHEMA))
        yield holder.info.backend_pid


def _run(stack: ExitStack, session: psycopg.Connection, query: str) -> None:
    """Have a session execute a query that ends by being cancelled."""

    def run() -> None:
        try:
            session.execute(query.encode())
        except psycopg.errors.QueryCanceled:
            session.rollback()

    thread = Thread(target=run, daemon=True)
    thread.start()
    stack.callback(thread.join, 10)
    stack.callback(session.cancel_safe)
