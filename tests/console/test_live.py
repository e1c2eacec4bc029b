"""An open page stays true: it follows the log, says when it cannot, and catches up."""

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.conftest import OpenTabs
from tests.console.jobs import run_some
from tests.console.tabs import Tabs, rows, wait_until_live
from tests.support.relay import Relay
from tests.support.service import ServiceProcess, wait_until


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, *(f"job-{n}" for n in range(6)))


def expect_what_the_api_says(page: Page, service: ServiceProcess) -> None:
    """Check every row of the list of jobs against the API."""
    jobs = service.jobs()
    expect(rows(page)).to_have_count(len(jobs))
    for job in jobs:
        row = rows(page).filter(has_text=job["vm_name"])
        expect(row).to_contain_text(job["state"])


def test_a_change_is_seen_without_a_reload(vma: SimulatedVMA, service: ServiceProcess, tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())
    row = rows(page).filter(has_text="vm-of-job-0")
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

    expect(rows(page).filter(has_text="vm-of-job-3")).to_contain_text("completed", timeout=90_000)
    wait_until_live(page)


def test_nine_tabs_share_one_stream(service: ServiceProcess, open_tabs: OpenTabs, relay: Relay) -> None:
    tabs = open_tabs(relay.url)

    pages = [tabs.open() for _ in range(9)]

    for page in pages:
        wait_until_live(page)
        expect(rows(page).first).to_be_visible()
    assert relay.streams() == 1
    tabs.context.close()
    wait_until(lambda: relay.streams() == 0, what="no stream without a tab")


def test_a_decision_made_in_the_page_is_in_the_log(service: ServiceProcess, tabs: Tabs) -> None:
    page = wait_until_live(tabs.open("/jobs/job-4"))

    page.get_by_role("button", name="Decide…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("vm-of-job-4")
    dialog.get_by_label("Fail:").check()
    dialog.get_by_label("Who decides").fill("mara")
    dialog.get_by_label("Why").fill("VM was deleted by hand")
    dialog.get_by_role("button", name="Fail this job").click()

    expect(dialog).to_have_count(0)
    expect(page.locator("main")).to_contain_text("failed")
    decided = service.events("job-4")[-1]
    assert (decided["type"], decided["data"]["who"]) == ("OperatorDecided", "mara")
    assert decided["data"]["why"] == "VM was deleted by hand"
    assert service.job("job-4")["state"] == "failed"


def test_a_stale_page_does_not_decide(service: ServiceProcess, tabs: Tabs) -> None:
    page = wait_until_live(tabs.open("/jobs/job-5"))
    page.get_by_role("button", name="Decide…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Complete:").check()
    dialog.get_by_label("Who decides").fill("mara")
    dialog.get_by_label("Why").fill("checked")

    service.decide("job-5", "fail", "decided elsewhere meanwhile")
    dialog.get_by_role("button", name="Complete this job").click()

    expect(dialog.get_by_role("alert").first).to_contain_text("has changed since")
    assert service.job("job-5")["state"] == "failed"
    tabs.refused.clear()


def test_an_upgrade_under_an_open_tab_ends_in_one_reload(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)

    # What a service of another build says about a file of the one that the page is of.
    page.route(
        "**/assets/Audit-*.js", lambda route: route.continue_() if asked else route.fulfill(status=404, body="gone")
    )
    page.get_by_role("link", name="Audit").click()

    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
    assert asked == [f"{tabs.url}/audit"]
