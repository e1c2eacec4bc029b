"""The time zone and the date style of the database change under a log."""

import io
import os
from contextlib import redirect_stdout
from datetime import UTC, datetime
from unittest.mock import patch

from api.cli.main import main
from tests.database.site import ROLE, Figures, Site, Size, new_site
from tests.database.truth import check

STYLES = {"TimeZone": "Pacific/Kiritimati", "DateStyle": "SQL, DMY", "IntervalStyle": "postgres_verbose"}
SOME = 5
"""Jobs whose events are compared."""


def time_zone(size: Size) -> Figures:
    """Change them for server, database and role, derive the read model again, and compare whole answers."""
    with new_site(size) as site:
        begin = datetime.now(UTC)
        names = site.start_with_jobs(size.jobs)
        site.service.kill()
        site.service.start()
        site.wait_until_polled()
        end = datetime.now(UTC)
        before = _answers(site, names, begin, end)
        _change(site)
        after = _answers(site, names, begin, end)
        assert before.keys() == after.keys()
        changed = [what for what in before if before[what] != after[what]]
        assert not changed, f"{changed[0]}: {before[changed[0]][:500]} is {after[changed[0]][:500]}"
        names.append(site.register("afterwards"))
        site.wait_until_polled()
        found = check(site, names)
    return {"answers compared": len(before), "their characters": sum(map(len, before.values())), **found}


def _change(site: Site) -> None:
    """Stop the service, change the styles, delete the read model, and start again."""
    site.service.terminate()
    for name, value in STYLES.items():
        for whom in ("SYSTEM", f"ROLE {ROLE}", "DATABASE postgres"):
            site.cluster.execute(f"ALTER {whom} SET {name} = '{value}'")
    site.cluster.restart()
    shown = site.rows("SELECT current_setting('TimeZone')")
    assert shown == [(STYLES["TimeZone"],)], shown
    for file in site.service.data_dir.glob("read_model.sqlite*"):
        file.unlink()
    site.service.start()
    site.wait_until_polled()


def _answers(site: Site, names: list[str], begin: datetime, end: datetime) -> dict[str, str]:
    """Return answers about the time between two moments, by what was asked."""
    span = {"from": begin.isoformat(), "to": end.isoformat()}
    answers = {"audit": str(site.service.pages("/api/v1/audit", **span))}
    for name in names[:SOME]:
        events = site.service.events(name)
        answers[f"events of {name}"] = str([one for one in events if datetime.fromisoformat(one["recorded_at"]) < end])
        for share in (0.3, 0.6, 1.0):
            moment = begin + (end - begin) * share
            answers[f"{name} at {share}"] = site.service.get(f"/api/v1/jobs/{name}", at=moment.isoformat()).text
    answers["audit of the command line"] = _printed(
        site, "audit", "--limit", "1000", "--from", span["from"], "--to", span["to"]
    )
    return answers


def _printed(site: Site, *line: str) -> str:
    """Return what the command line prints."""
    printed = io.StringIO()
    environment = site.service.environment
    with patch.dict(os.environ, environment, clear=True), redirect_stdout(printed):
        assert main([*line, "--url", site.service.url]) == 0
    assert len(printed.getvalue().splitlines()) > 1, printed.getvalue()
    return printed.getvalue()
