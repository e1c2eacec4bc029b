"""An open page stays true: it follows the log, says when it cannot, and catches up."""

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.conftest import OpenTabs
from tests.console.jobs import run_some
from tests.console.tabs import Tabs, wait_until_live
from tests.support.relay import Relay
from tests.support.service import ServiceProcess, wait_until


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, *(f"job-{n}" for n in range(6)))


def expect_what_the_api_says(page: Page, service: ServiceProcess) -> None:
    """Check every row of the list of jobs against the API."""
    jobs = service.jobs()
    expect(page.get_by_role("option")).to_have_count(len(jobs))
    for job in jobs:
        row = page.get_by_role("option").filter(has_text=job["vm_name"])
        expect(row).to_contain_text(job["state"])


def test_a_change_is_seen_without_a_reload(vma: SimulatedVMA, service: ServiceProcess, tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())
    row = page.get_by_role("option").filter(has_text="vm-of-job-0")
    expect(row).to_contain_text("replicating")

    vma.world.finish("job-0")

    expect(row).to_contain_text("completed")


def test_an_open_page_survives_a_kill_and_then_shows_what_the_api_says(
    vma: SimulatedVMA, service: ServiceProcess, tabs: Tabs
) -> None:
    page = wait_until_live(tabs.open())

    service.kill()
    expect(page.get_by_role("status").get_by_text("Not live since")).to_be_visible()
    vma.world.finish("job-1")
    vma.world.fail("job-2", "target volume is full")
    service.start()
    service.wait_for("job-1", state="completed")
    service.wait_for("job-2", state="failed")

    wait_until_live(page)
    expect_what_the_api_says(page, service)


def test_a_stream_that_is_swallowed_without_a_reset_is_reported_and_taken_up_again(
    vma: SimulatedVMA, service: ServiceProcess, open_tabs: OpenTabs, relay: Relay
) -> None:
    page = wait_until_live(open_tabs(relay.url).open())

    relay.swallow()
    expect(page.get_by_role("status").get_by_text("Not live since")).to_be_visible(timeout=90_000)
    vma.world.finish("job-3")
    service.wait_for("job-3", state="completed")
    relay.resume()

    expect(page.get_by_role("option").filter(has_text="vm-of-job-3")).to_contain_text("completed", timeout=90_000)
    wait_until_live(page)


def test_nine_tabs_share_one_stream(service: ServiceProcess, open_tabs: OpenTabs, relay: Relay) -> None:
    tabs = open_tabs(relay.url)

    pages = [tabs.open() for _ in range(9)]

    for page in pages:
        wait_until_live(page)
        expect(page.get_by_role("option").first).to_be_visible()
    assert relay.streams() == 1
    tabs.context.close()
    wait_until(lambda: relay.streams() == 0, what="no stream without a tab")
