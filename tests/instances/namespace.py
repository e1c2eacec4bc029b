"""An instance whose whole network is cut: it is in a network namespace, and no packet arrives any more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.instances.scenarios import Figures, Size, are_owned_by_others, owned_by_first, running_site
from tests.instances.site import SCHEMA, Site
from tests.instances.truth import check
from tests.support.network_namespace import HERE, THERE, InstanceThere, NetworkNamespace
from tests.support.service import ServiceProcess, wait_until

NOTICED = 15.0
"""Seconds within which the VMAs of an instance that was cut off have another owner."""

WITNESS = """
CREATE TABLE public.witness (client inet NOT NULL);
CREATE FUNCTION public.witness() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.witness VALUES (inet_client_addr()); RETURN NULL; END $$;
CREATE TRIGGER witness AFTER INSERT ON {}.stored_events FOR EACH ROW EXECUTE FUNCTION public.witness();
"""
"""Notes, of each event, who stores it: events do not say which instance they are from."""

STORED = "SELECT count(*) FROM public.witness WHERE client = %s"
WORKING = "SELECT count(*) FROM pg_stat_activity WHERE client_addr = %s AND state = 'active'"


class DividedSite(Site):
    """A site whose first instance is in the network namespace, and the rest of which is here."""

    here = HERE

    def new_first(self) -> ServiceProcess:
        """Start the instance in the namespace."""
        self.cluster.admit(f"{THERE}/32")
        database = self.cluster.url_at(self.cluster.port, HERE)
        return self.new_instance(InstanceThere, 0, DATABASE_URL=database, HOST=THERE)


def namespace(size: Size) -> Figures:
    """Cut the network of one instance, which loses the database, its VMAs and the other instances at once."""
    with NetworkNamespace() as network, running_site(size, DividedSite) as site:
        site.cluster.execute(WITNESS.format(SCHEMA))
        lost = owned_by_first(site)
        with _cut(network):
            began = time.monotonic()
            wait_until(lambda: not _count(site, WORKING), NOTICED, "what had arrived is done", every=0.01)
            before = _count(site, STORED)
            wait_until(partial(are_owned_by_others, site, lost), NOTICED, "other owners", every=0.1)
            took = time.monotonic() - began
            time.sleep(size.stopped)
            assert _count(site, STORED) == before, "it has stored something while it was cut off"
        mended = time.monotonic()
        site.settle()
        joined = time.monotonic() - mended
        wait_until(lambda: _count(site, STORED) > before, what="it stores something again")
        unpolled = site.unpolled()
        events = check(site)
    return {
        "VMAs with another owner after": f"{took:.1f} s",
        "even shares again after": f"{joined:.1f} s",
        "longest time unpolled": f"{unpolled:.1f} s",
        "events": events,
    }


@contextmanager
def _cut(network: NetworkNamespace) -> Iterator[None]:
    network.cut()
    try:
        yield
    finally:
        network.mend()


def _count(site: Site, query: str) -> int:
    ((count,),) = site.cluster.execute(query, THERE)
    return int(count)
