"""Every screen opens with real data, in both themes and on a phone, without a fault that a browser can see."""

from typing import Any

import pytest
from playwright.sync_api import expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.conftest import OpenTabs
from tests.console.jobs import a_bit_of_everything
from tests.console.tabs import Tabs, axe_violations, rows, wait_until_live
from tests.support.service import ServiceProcess

SCREENS = {
    "jobs": ("/", "web-01"),
    "job": ("/jobs/app-01", "snapshot was removed"),
    "runs": ("/runs", "restart"),
    "what-if": ("/what-if", "What if"),
    "audit": ("/audit", "Recovery run finished"),
    "event": ("/audit?event=1", "What caused it"),
    "system": ("/system", "default"),
}
"""The path of each screen, and a text of its data."""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    a_bit_of_everything(vma, service)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_shows_its_data_and_everybody_can_use_it(open_tabs: OpenTabs, screen: str, look: str) -> None:
    path, data = SCREENS[screen]
    tabs = open_tabs(**LOOKS[look])

    page = wait_until_live(tabs.open(path))

    expect(page.get_by_text(data).filter(visible=True).first).to_be_visible()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
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
