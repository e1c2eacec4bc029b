"""The audit trail in the page: filters, what is new, the causes of an event, exports."""

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from tests.console.conftest import OpenTabs
from tests.console.jobs import run_some
from tests.console.tabs import Tabs, rows, sign_in, wait_until_live
from tests.support.relay import Relay
from tests.support.service import ServiceProcess, wait_until

JOBS = [f"job-{n}" for n in range(8)]


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, *JOBS)


@pytest.fixture
def page(tabs: Tabs) -> Page:
    page = wait_until_live(tabs.open("/audit"))
    expect(rows(page).first).to_be_visible()
    return page


@pytest.fixture(scope="module", params=["without tokens", "with a token"])
def secret(request: pytest.FixtureRequest, service: ServiceProcess) -> str | None:
    """Return no token, and then, for the last tests of this module, one: from then on the service needs tokens."""
    if request.param == "without tokens":
        return None
    return service.token("reader", Scope.READ)


def open_registrations(tabs: Tabs, secret: str | None) -> Page:
    """Open the trail of all registrations."""
    page = tabs.open("/audit?type=JobRegistered")
    return sign_in(page, secret) if secret else wait_until_live(page)


def export(url: str, secret: str | None, form: str) -> bytes:
    """Return all registrations as the API exports them."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    query = {"type": "JobRegistered", "format": form.lower()}
    return httpx.get(f"{url}/api/v1/audit/export", params=query, headers=headers, trust_env=False).content


def end_after_two_lines(route: Route) -> None:
    """Answer as a proxy that lost the rest, and ended the answer as if that were all."""
    answer = route.fetch()
    route.fulfill(response=answer, body=b"".join(answer.body().splitlines(keepends=True)[:2]))


def test_a_filter_is_in_the_address_and_can_be_removed(page: Page, tabs: Tabs) -> None:
    page.get_by_label("Filter by event").select_option("JobRegistered")
    page.get_by_label("Filter by job").fill("job-3")
    page.keyboard.press("Enter")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Registered")
    assert page.url == f"{tabs.url}/audit?type=JobRegistered&job_id=job-3"
    page.get_by_role("button", name="Job: job-3").click()
    expect(rows(page)).to_have_count(len(JOBS))


def test_a_filter_that_the_api_refuses_is_explained(tabs: Tabs) -> None:
    page = tabs.open("/audit?rule=no-such-rule")

    expect(page.get_by_role("alert")).to_contain_text("rule")
    tabs.refused.clear()


def test_what_is_new_comes_first_by_itself(page: Page, service: ServiceProcess) -> None:
    service.register("added", "disk-added")

    expect(rows(page).filter(has_text="Registered").first).to_contain_text("added")


def test_what_is_new_waits_while_the_reader_has_scrolled_down(page: Page, service: ServiceProcess) -> None:
    page.get_by_role("listbox").hover()
    page.mouse.wheel(0, 360)
    # Playwright's own wait evaluates text in the page, which the policy forbids.
    wait_until(lambda: page.get_by_role("listbox").evaluate("list => list.scrollTop > 0"), what="scrolled")
    read = rows(page).first.inner_text()

    service.register("later", "disk-later")

    page.get_by_role("button", name="new event").wait_for()
    assert rows(page).first.inner_text() == read
    page.get_by_role("button", name="new event").click()
    expect(rows(page).filter(has_text="later").first).to_be_visible()


def test_an_event_opens_by_keyboard_with_its_causes_and_the_commands_that_give_the_same(page: Page, tabs: Tabs) -> None:
    page.goto(f"{tabs.url}/audit?type=JobAdmitted")
    expect(rows(page)).not_to_have_count(0)

    page.get_by_role("listbox").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    event = page.get_by_label("Event", exact=True)
    expect(event).to_contain_text("Registered")
    event.get_by_text("The same in a terminal").click()
    expect(event.get_by_text("curl -sS").first).to_be_visible()


@pytest.mark.parametrize("form", ["NDJSON", "CSV"])
def test_an_export_is_the_apis_with_every_event_of_the_filter(tabs: Tabs, secret: str | None, form: str) -> None:
    page = open_registrations(tabs, secret)

    with page.expect_download() as download:
        page.get_by_role("button", name=f"Export {form}").click()

    saved = download.value.path().read_bytes()
    assert saved == export(tabs.url, secret, form)
    assert saved.count(b"JobRegistered") >= len(JOBS)


def test_an_export_whose_connection_breaks_is_told_and_not_taken_for_a_whole_one(
    open_tabs: OpenTabs, relay: Relay, secret: str | None
) -> None:
    relay.cut("/audit/export", after=2_000)
    tabs = open_tabs(relay.url)
    page = open_registrations(tabs, secret)

    if secret:
        page.get_by_role("button", name="Export NDJSON").click()
        expect(page.get_by_role("alert")).to_contain_text("The export was cut")
    else:
        with page.expect_download() as download:
            page.get_by_role("button", name="Export NDJSON").click()
        assert download.value.failure()


@pytest.mark.parametrize("secret", ["with a token"], indirect=True)
@pytest.mark.parametrize("form", ["NDJSON", "CSV"])
def test_an_export_that_a_proxy_ends_early_is_told(tabs: Tabs, secret: str | None, form: str) -> None:
    page = open_registrations(tabs, secret)
    page.route("**/audit/export?*", end_after_two_lines)

    page.get_by_role("button", name=f"Export {form}").click()

    expect(page.get_by_role("alert")).to_contain_text("The export was cut")
