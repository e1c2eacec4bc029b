"""An open page stays true: it follows the log, says when it cannot, and catches up."""

from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from tests.console.conftest import OpenTabs
from tests.console.jobs import HOUR, run_some
from tests.console.tabs import WITHOUT_SHARED_WORKERS, Tabs, rows, wait_until_live
from tests.support import logs
from tests.support.fleet import run_jobs
from tests.support.relay import Relay
from tests.support.service import ServiceProcess, wait_until

SILENCE = 31_000
"""Milliseconds after which a page takes a stream without a sign of life as dead."""

PAUSE = 6_000
"""Milliseconds within which a page reads the rows in sight again."""

MANY_TABS = 9
"""More than the connections that a browser opens to one host, over all tabs, which are six."""


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, *(f"job-{n}" for n in range(7)))


def expect_what_the_api_says(page: Page, service: ServiceProcess) -> None:
    """Check every row of the list of jobs against the API, once all jobs are decided."""
    jobs = wait_until(lambda: [] if service.jobs(state="recovering") else service.jobs(), what="all are decided")
    expect(rows(page)).to_have_count(len(jobs))
    for job in jobs:
        row = rows(page).filter(has_text=job["vm_name"])
        expect(row).to_contain_text(job["state"])


def navigations(page: Page) -> list[str]:
    """Return the list to which the address of each page that the tab asks for is added from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.is_navigation_request() else None)
    return asked


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
    tabs = open_tabs(relay.url)
    tabs.context.add_init_script(WITHOUT_SHARED_WORKERS)
    tabs.context.clock.install()
    page = wait_until_live(tabs.open())
    # An event from which the page follows the log again: without one it reads everything.
    vma.world.finish("job-6")
    expect(rows(page).filter(has_text="vm-of-job-6")).to_contain_text("completed")

    relay.swallow()
    asked = len(relay.requests)
    tabs.context.clock.fast_forward(PAUSE)
    wait_until(lambda: len(relay.requests) > asked, what="a request for the rows in sight, which is swallowed")
    tabs.context.clock.fast_forward(SILENCE)
    expect(page.get_by_role("status").get_by_text("Not live since")).to_be_visible()
    vma.world.finish("job-3")
    service.wait_for("job-3", state="completed")
    relay.resume()
    # What was asked meanwhile was swallowed, too, and gets no answer.
    tabs.context.clock.fast_forward(SILENCE)

    wait_until_live(page)
    expect(rows(page).filter(has_text="vm-of-job-3")).to_contain_text("completed")


@pytest.mark.parametrize(
    ("screen", "path"),
    [
        ("/", "/session"),
        ("/", "/api/v1/jobs?"),
        ("/", "/recovery-runs?"),
        ("/jobs/job-0", "/api/v1/jobs/job-0"),
        ("/system", "/readyz"),
        ("/system", "/settings"),
    ],
)
def test_a_connection_that_breaks_within_an_answer_is_no_fault_of_the_page(
    open_tabs: OpenTabs, relay: Relay, screen: str, path: str
) -> None:
    relay.cut(path, after=1)
    tabs = open_tabs(relay.url)
    page = tabs.open(screen)
    wait_until(lambda: any(path in asked for asked in relay.requests), what=f"a broken answer to {path}")
    relay.cut("", after=0)

    wait_until_live(page)

    expect(page.locator("main")).to_contain_text("vm-of-job-0" if screen != "/system" else "JOB_RECOVERY_PORT")
    expect(page.get_by_text("Looking for the last restart")).to_have_count(0)


def test_more_tabs_than_a_browser_has_connections_share_one_stream(open_tabs: OpenTabs, relay: Relay) -> None:
    tabs = open_tabs(relay.url)

    pages = [tabs.open() for _ in range(MANY_TABS)]

    for page in pages:
        wait_until_live(page)
        expect(rows(page).first).to_be_visible()
    assert relay.streams() == 1
    tabs.context.close()
    wait_until(lambda: relay.streams() == 0, what="no stream without a tab")


def test_a_decision_made_in_the_page_is_in_the_log(vma: SimulatedVMA, service: ServiceProcess, tabs: Tabs) -> None:
    # A new job and a slow one: nothing new is recorded of it within a minute, which would make the page stale.
    run_jobs(vma, service, ["to-decide"], duration=100 * HOUR)
    page = wait_until_live(tabs.open("/jobs/to-decide"))

    page.get_by_role("button", name="Decide…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("vm-of-to-decide")
    dialog.get_by_label("Fail:").check()
    dialog.get_by_label("Who decides").fill("mara")
    dialog.get_by_label("Why").fill("VM was deleted by hand")
    dialog.get_by_role("button", name="Fail this job").click()

    expect(dialog).to_have_count(0)
    expect(page.locator("main")).to_contain_text("failed")
    decided = service.events("to-decide")[-1]
    assert (decided["type"], decided["data"]["who"]) == ("OperatorDecided", "mara")
    assert decided["data"]["why"] == "VM was deleted by hand"
    assert service.job("to-decide")["state"] == "failed"


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


def test_a_log_that_is_restored_from_a_backup_under_open_pages_replaces_what_they_show(
    vma: SimulatedVMA, service: ServiceProcess, tabs: Tabs
) -> None:
    service.terminate()
    logs.back_up(service.data_dir)
    service.start()
    run_some(vma, service, "since-backup")
    run_id = service.pages("/api/v1/recovery-runs")[0]["run_id"]
    paths = ("/", "/jobs/since-backup", "/audit", f"/runs/{run_id}")
    jobs, job, audit, run = (wait_until_live(tabs.open(path)) for path in paths)
    for page in (jobs, audit):
        expect(rows(page).filter(has_text="since-backup").first).to_be_visible()
    expect(job.locator("main")).to_contain_text("vm-of-since-backup")
    expect(run.get_by_role("region", name=f"Run {run_id}")).to_be_visible()

    service.terminate()
    logs.restore(service.data_dir)
    service.start()

    for page in (jobs, audit):
        wait_until_live(page)
        expect(rows(page).filter(has_text="since-backup")).to_have_count(0)
    expect(job.get_by_role("alert")).to_contain_text("since-backup")
    expect(job.locator("main")).not_to_contain_text("vm-of-since-backup")
    expect(run.get_by_role("alert")).to_contain_text(run_id)
    expect(run.get_by_role("region", name=f"Run {run_id}")).to_have_count(0)
    expect_what_the_api_says(jobs, service)


def test_the_console_works_below_a_prefix_that_a_proxy_removes(service: ServiceProcess, open_tabs: OpenTabs) -> None:
    # What the page asks outside of the prefix is a fault of the profile.
    with closing(Relay(int(service.settings["PORT"]), prefix="/job-recovery")) as proxy:
        page = wait_until_live(open_tabs(proxy.url).open("/jobs/job-0"))
        expect(page.locator("main")).to_contain_text("vm-of-job-0")

        page.get_by_role("link", name="Audit").click()
        expect(rows(page).first).to_be_visible()
        page.reload()

        expect(rows(wait_until_live(page)).first).to_be_visible()
        assert page.url == f"{proxy.url}/audit"
        page.close()


def test_an_upgrade_under_an_open_tab_ends_in_one_reload(tabs: Tabs) -> None:
    page = wait_until_live(tabs.open())
    asked = navigations(page)

    # What a service of another build says about a file of the one that the page is of.
    page.route(
        "**/assets/Audit-*.js", lambda route: route.continue_() if asked else route.fulfill(status=404, body="gone")
    )
    page.get_by_role("link", name="Audit").click()

    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
    assert asked == [f"{tabs.url}/audit"]


def test_two_builds_behind_a_balancer_end_in_one_reload(tabs: Tabs) -> None:
    page = tabs.context.new_page()
    asked = navigations(page)

    # The first page is of another build than the service that is asked for its script.
    page.route(
        "**/assets/index-*.js",
        lambda route: route.continue_() if len(asked) > 1 else route.fulfill(status=404, body="gone"),
    )
    page.goto(tabs.url)

    wait_until_live(page)
    assert asked == [f"{tabs.url}/"] * 2


def test_a_page_whose_script_stays_missing_says_so_after_one_reload(tabs: Tabs) -> None:
    page = tabs.context.new_page()
    asked = navigations(page)
    page.route("**/assets/index-*.js", lambda route: route.fulfill(status=404, body="gone"))

    page.goto(tabs.url)

    expect(page.locator("body")).to_contain_text("Reload the page in a minute")
    assert asked == [f"{tabs.url}/"] * 2
