"""Times go by the service's clock, and are shown in one zone: the viewer's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.conftest import OpenTabs
from tests.console.jobs import run_some
from tests.console.tabs import WITHOUT_SHARED_WORKERS, Tabs, rows, wait_until_live
from tests.support.relay import Relay
from tests.support.service import ServiceProcess

ZONES = ("Europe/Berlin", "America/St_Johns", "Asia/Kathmandu")


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, "web-01")


def contact(page: Page) -> str:
    """Return the age of the last contact of the only job."""
    row = rows(page).filter(has_text="web-01")
    expect(row.locator("time").first).to_be_visible()
    return row.locator("time").first.inner_text()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_browsers_clock_that_is_an_hour_off_is_told_once_and_changes_no_age(open_tabs: OpenTabs, hours: int) -> None:
    tabs = open_tabs()
    tabs.context.clock.install(time=datetime.now(UTC) + timedelta(hours=hours))

    page = wait_until_live(tabs.open())

    notice = page.get_by_text("This machine's clock is")
    expect(notice).to_contain_text("ahead of" if hours > 0 else "behind")
    assert "h" not in contact(page).replace("the", "")
    page.get_by_role("button", name="Understood").click()
    expect(notice).to_have_count(0)
    page.get_by_role("link", name="Audit").click()
    expect(rows(page).first).to_be_visible()
    expect(notice).to_have_count(0)


def test_since_when_a_page_is_not_live_is_told_by_the_services_clock(open_tabs: OpenTabs, relay: Relay) -> None:
    tabs = open_tabs(relay.url, timezone_id="UTC")
    tabs.context.add_init_script(WITHOUT_SHARED_WORKERS)
    tabs.context.clock.install(time=datetime.now(UTC) + timedelta(hours=1))
    page = wait_until_live(tabs.open())
    contact(page)

    relay.close()

    lost = datetime.now(UTC)
    badge = page.get_by_role("status").filter(has_text="Not live since")
    expect(badge).to_be_visible()
    around = {f"{lost + timedelta(seconds=apart):%H:%M:%S}" for apart in range(-20, 5)}
    assert badge.inner_text().split()[-1] in around


def test_a_right_clock_is_not_mentioned(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())

    contact(page)
    expect(page.get_by_text("This machine's clock is")).to_have_count(0)


@pytest.mark.parametrize("zone", ZONES)
def test_times_are_in_the_viewers_zone_with_utc_at_hand(tabs: Tabs, service: ServiceProcess, zone: str) -> None:
    entry = service.pages("/api/v1/audit", type="JobRegistered")[0]
    at = datetime.fromisoformat(entry["recorded_at"])
    here = at.astimezone(ZoneInfo(zone))
    page = tabs.context.new_page()
    tabs.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": zone})

    page.goto(f"{tabs.url}/audit?type=JobRegistered")

    shown = rows(wait_until_live(page)).locator("time")
    expect(shown).to_contain_text(f"{here:%H:%M:%S}")
    expect(shown).to_have_attribute("datetime", entry["recorded_at"])
    title = shown.get_attribute("title") or ""
    assert f"{here:%Y-%m-%d %H:%M:%S.%f}" in title
    assert f"{at:%Y-%m-%d %H:%M:%S.%f} UTC" in title
