"""Sign-in by a token, which is never in an address, and what a token's scope allows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from tests.console.conftest import OpenTabs
from tests.console.jobs import run_some
from tests.console.tabs import Tabs, axe_violations, expect_not_framed, rows, sign_in, wait_until_live
from tests.support import logs
from tests.support.relay import Relay
from tests.support.service import ServiceProcess

Issue = Callable[[str, Scope], str]

QUIET = 3_000
"""Milliseconds without a request that show that nothing loops; a loop would make at least one a second."""


@pytest.fixture(scope="module")
def issue(vma: SimulatedVMA, service: ServiceProcess) -> Issue:
    """Return a function that creates a token for a service that has a job."""
    run_some(vma, service, "web-01")
    return service.token


def expect_sign_in(page: Page) -> None:
    expect(page.get_by_label("Token", exact=True)).to_be_visible()


def test_a_page_asks_for_a_token_and_then_shows_the_jobs(tabs: Tabs, issue: Issue) -> None:
    secret = issue("reader", Scope.READ)
    page = tabs.open("/?state=replicating")
    expect_sign_in(page)
    assert axe_violations(page) == []

    sign_in(page, secret)

    expect(rows(page)).to_contain_text("web-01")
    assert page.url == f"{tabs.url}/?state=replicating"
    stored = page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state])"
    )
    assert secret not in stored


def test_a_wrong_token_is_refused_in_words(tabs: Tabs, issue: Issue) -> None:
    issue("somebody", Scope.READ)
    page = tabs.open()

    page.get_by_label("Token", exact=True).fill("jr_wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("does not accept this token")
    assert axe_violations(page) == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_reload_asks_again_unless_the_token_is_kept(tabs: Tabs, issue: Issue, keep: bool) -> None:  # noqa: FBT001
    page = sign_in(tabs.open(), issue(f"keeper-{keep}", Scope.READ), keep=keep)

    page.reload()

    if keep:
        wait_until_live(page)
    else:
        expect_sign_in(page)


def test_signing_out_forgets_the_token(tabs: Tabs, issue: Issue) -> None:
    page = sign_in(tabs.open(), issue("leaver", Scope.READ), keep=True)

    page.get_by_role("button", name="Sign out").click()

    expect_sign_in(page)
    page.reload()
    expect_sign_in(page)


@pytest.mark.parametrize(("scope", "offered"), [(Scope.READ, 0), (Scope.OPERATE, 1)])
def test_what_a_scope_does_not_allow_is_not_offered(tabs: Tabs, issue: Issue, scope: Scope, offered: int) -> None:
    page = sign_in(tabs.open("/jobs/web-01"), issue(f"{scope}-only", scope))

    expect(page.locator("main")).to_contain_text("vm-of-web-01")
    expect(page.get_by_role("button", name="Decide…")).to_have_count(offered)


def test_a_token_that_is_revoked_under_five_tabs_leads_to_sign_in_and_not_to_a_loop(
    service: ServiceProcess, open_tabs: OpenTabs, relay: Relay, issue: Issue
) -> None:
    secret = issue("revoked", Scope.READ)
    tabs = open_tabs(relay.url)
    pages = [sign_in(tabs.open(path), secret) for path in ("/", "/jobs/web-01", "/runs", "/audit", "/system")]

    logs.tokens_of(service.data_dir).revoke("revoked")

    for page in pages:
        expect_sign_in(page)
    asked = len(relay.requests)
    pages[0].wait_for_timeout(QUIET)
    assert len(relay.requests) == asked
    assert not any(secret in request for request in relay.requests)


def test_a_page_of_another_site_cannot_frame_the_console_of_a_service_with_tokens(
    vma: SimulatedVMA, tabs: Tabs, issue: Issue
) -> None:
    issue("framed", Scope.READ)
    page = tabs.context.new_page()
    page.goto(vma.url)

    expect_not_framed(page, tabs.url)

    tabs.faults.clear()
