"""Every screen opens with real data, in both themes and on a phone, without a fault that a browser can see."""

from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.jobs import a_bit_of_everything
from tests.console.tabs import Tabs, axe_violations, rows, wait_until_live
from tests.support.service import ServiceProcess


class Look(NamedTuple):
    """What a reader has chosen, and with what the page is read."""

    theme: Literal["light", "dark"]
    width: int = 1280
    has_touch: bool = False


LIGHT, DARK, PHONE = LOOKS = (Look("light"), Look("dark"), Look("light", width=390, has_touch=True))

SCREENS = {
    "jobs": (LIGHT, "/", "web-01"),
    "job": (DARK, "/jobs/app-01", "snapshot was removed"),
    "runs": (PHONE, "/runs", "restart"),
    "run": (LIGHT, "/runs/{restart}", "completed-while-away"),
    "what-if": (DARK, "/what-if", "What if"),
    "audit": (PHONE, "/audit", "Recovery run finished"),
    "event": (LIGHT, "/audit?event=1", "What caused it"),
    "system": (DARK, "/system", "default"),
}
"""The look in which each screen is loaded, before it is changed into the others; its path, and a text of its data."""


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    a_bit_of_everything(vma, service)


def change_to(look: Look, page: Page) -> None:
    """Give a page another look; return when it is drawn."""
    page.emulate_media(color_scheme=look.theme)
    page.set_viewport_size(ViewportSize(width=look.width, height=800))
    page.context.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", {"enabled": look.has_touch})
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def faults_of(page: Page) -> list[str]:
    """Return what a reader cannot use, or has to scroll to from left to right."""
    is_too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*axe_violations(page), *(["wider than its window"] if is_too_wide else [])]


def restart_run(service: ServiceProcess) -> str:
    """Return the id of the run that decided the jobs after the restart."""
    runs = service.pages("/api/v1/recovery-runs")
    run_id: str = next(run["run_id"] for run in runs if run["cause"] == "restart" and run["settled"])
    return run_id


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_shows_its_data_and_everybody_can_use_it(tabs: Tabs, service: ServiceProcess, screen: str) -> None:
    loaded_in, path, data = SCREENS[screen]
    page = tabs.context.new_page()
    change_to(loaded_in, page)
    page.goto(tabs.url + path.format(restart=restart_run(service)))
    wait_until_live(page)

    for look in (loaded_in, *(look for look in LOOKS if look != loaded_in)):
        change_to(look, page)
        expect(page.get_by_text(data).filter(visible=True).first).to_be_visible()
        assert faults_of(page) == [], look
    assert tabs.refused == []


def test_a_link_with_filters_shows_the_same_to_everybody(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open("/?state=failed"))

    found = rows(page)
    expect(found).to_have_count(1)
    expect(found).to_contain_text("app-01")


def test_an_unknown_address_is_answered_without_a_page(tabs: Tabs) -> None:
    page = tabs.context.new_page()

    answer = page.goto(f"{tabs.url}/no-such-page")

    assert answer
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert len(tabs.refused) == 1
