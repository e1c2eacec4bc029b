"""Several processes start at once on an empty database."""

from tests.database.site import Figures, Size, new_site
from tests.database.truth import check
from tests.support.service import ServiceProcess, wait_until


def starts(size: Size) -> Figures:
    """Start several services at once: all of them come up, on one schema, and one watches the only VMA."""
    with new_site(size) as site:
        services = [site.new_service() for _ in range(size.starts)]
        try:
            for service in services:
                service.begin()
            for service in services:
                service.connect()
            wait_until(lambda: len(_instances(services[0])) == size.starts, 60, "all of them are there")
            schemas = site.rows("SELECT count(*) FROM pg_namespace WHERE nspname = '{}'")
            installations = site.rows("SELECT count(*) FROM {}.installation")
            assert (schemas, installations) == ([(1,)], [(1,)])
            owners = wait_until(lambda: _owners(services), 60, "an owner of the VMA")
            (site.service,) = [service for service in services if service.url in owners]
            found = check(site, site.watch(size.jobs))
        finally:
            for service in services:
                service.close()
    return {"processes": size.starts, "owners of the VMA": len(owners), "schemas": 1, **found}


def _instances(service: ServiceProcess) -> list[dict[str, list[str]]]:
    found: list[dict[str, list[str]]] = service.get("/api/v1/instances").json().get("items", [])
    return found


def _owners(services: list[ServiceProcess]) -> list[object]:
    return [one["address"] for one in _instances(services[0]) if "default" in one["vmas"]]
