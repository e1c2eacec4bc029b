"""Several processes start at once on an empty database."""

from tests.database.site import Figures, Size, new_site
from tests.database.truth import check
from tests.support.service import ServiceProcess, wait_until


def starts(size: Size) -> Figures:
    """Start several services at once: one serves, and the others say for whom they wait, and end with exit code 3."""
    with new_site(size) as site:
        services = [site.new_service() for _ in range(size.starts)]
        try:
            for service in services:
                service.begin()
            others = wait_until(lambda: _ended(services), 60, "the end of all but one")
            (site.service,) = [service for service in services if service not in others]
            told = [_refusal(service) for service in others]
            schemas = site.rows("SELECT count(*) FROM pg_namespace WHERE nspname = '{}'")
            installations = site.rows("SELECT count(*) FROM {}.installation")
            assert (schemas, installations) == ([(1,)], [(1,)])
            site.service.connect()
            found = check(site, site.watch(size.jobs))
        finally:
            for service in services:
                service.close()
    return {"processes": size.starts, "that say for whom they wait": len(told), "schemas": 1, **found}


def _ended(services: list[ServiceProcess]) -> list[ServiceProcess] | None:
    ended = [service for service in services if service.process.poll() is not None]
    assert len(ended) < len(services), services[0].log_file.read_text()
    return ended if len(ended) == len(services) - 1 else None


def _refusal(service: ServiceProcess) -> str:
    """Return what a service said that has found the log in use."""
    text = service.log_file.read_text()
    assert service.process.poll() == 3, text
    assert service.logged("event_log_waited_for"), text
    (line,) = [line for line in text.splitlines() if line.startswith("job-recovery: ")]
    assert "is in use by job-recovery writer" in line, line
    return line
