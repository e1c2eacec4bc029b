"""The audit trail in the page: filters, what is new, the causes of an event, exports."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from adapters.host.tokens import Scope, TokenFile
from adapters.simulated_vma import SimulatedVMA
from tests.console.jobs import run_some
from tests.console.tabs import Tabs, rows, sign_in, wait_until_live
from tests.support.service import ServiceProcess

JOBS = [f"job-{n}" for n in range(8)]


@pytest.fixture(scope="module", autouse=True)
def _jobs(vma: SimulatedVMA, service: ServiceProcess) -> None:
    run_some(vma, service, *JOBS)


@pytest.fixture
def page(tabs: Tabs) -> Page:
    page = wait_until_live(tabs.open("/audit"))
    expect(rows(page).first).to_be_visible()
    return page


def positions(export: Path) -> list[int]:
    return [json.loads(line)["position"] for line in export.read_text().splitlines()]


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
    expect(rows(page).first).not_to_have_attribute("aria-posinset", "1")
    read = rows(page).last.inner_text()

    service.register("later", "disk-later")

    page.get_by_role("button", name="new event").wait_for()
    assert rows(page).last.inner_text() == read
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


@pytest.mark.parametrize("signed_in", [False, True], ids=["open", "with a token"])
def test_an_export_has_every_event_of_the_filter(
    service: ServiceProcess, tabs: Tabs, tmp_path: Path, *, signed_in: bool
) -> None:
    expected = sorted(entry["position"] for entry in service.pages("/api/v1/audit", type="JobRegistered"))
    address = "/audit?type=JobRegistered"
    if signed_in:
        # The last test of this module: from now on the service needs tokens.
        secret = TokenFile(service.data_dir).create("reader", Scope.READ, datetime.now(UTC))
        page = sign_in(tabs.open(address), secret)
    else:
        page = wait_until_live(tabs.open(address))

    with page.expect_download() as download:
        page.get_by_role("button", name="Export NDJSON").click()

    download.value.save_as(tmp_path / "export")
    assert positions(tmp_path / "export") == expected
