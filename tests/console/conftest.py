"""A service with a few jobs, and a browser, for each module."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ProxySettings, sync_playwright

from adapters.simulated_vma import HeldPort, SimulatedVMA
from api.http.console import DIST, INDEX, NOT_BUILT
from tests.console import chromium
from tests.console.elsewhere import Elsewhere
from tests.console.tabs import Tabs
from tests.support.relay import Relay
from tests.support.service import PATIENT, ServiceProcess

OpenTabs = Callable[..., Tabs]


@pytest.fixture(scope="module", autouse=True)
def chromium_path() -> str:
    """Return the path of the browser; look for it and for the console before anything is started."""
    assert (DIST / INDEX).exists(), NOT_BUILT
    return chromium.find()


@pytest.fixture(scope="module", autouse=True)
def _one_worker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fail if a second worker has tests of this module: each would start a browser and a service."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        of_all_workers = tmp_path_factory.getbasetemp().parent
        (of_all_workers / f"{request.module.__name__}.started").touch(exist_ok=False)


@pytest.fixture(scope="module")
def vma() -> Iterator[SimulatedVMA]:
    with SimulatedVMA() as running:
        yield running


@pytest.fixture(scope="module")
def service(vma: SimulatedVMA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Return a service that runs."""
    with HeldPort() as port:
        running = ServiceProcess(tmp_path_factory.mktemp("console") / "data", vma.url, PORT=str(port.number), **PATIENT)
        running.start()
        yield running
        running.close()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Return Chromium. It reaches this machine only: what it asks of others is recorded, and fails the module."""
    # Playwright's event loop is this thread's while it runs, so it ends with the module: async tests need their own.
    with Elsewhere() as elsewhere, sync_playwright() as playwright:
        # With a bypass for this machine: Playwright sends its address to the proxy, too, unless told otherwise.
        proxy = ProxySettings(server=elsewhere.url, bypass="127.0.0.1")
        running = playwright.chromium.launch(executable_path=chromium_path, proxy=proxy)
        yield running
        running.close()
    assert elsewhere.asked == set()


@pytest.fixture
def relay(service: ServiceProcess) -> Iterator[Relay]:
    """Return a relay before the service."""
    before = Relay(int(service.settings["PORT"]))
    yield before
    before.close()


@pytest.fixture
def open_tabs(browser: Browser, service: ServiceProcess) -> Iterator[OpenTabs]:
    """Return a function that opens new profiles, each with tabs of its own."""
    opened: list[Tabs] = []

    def start(url: str | None = None, **options: Any) -> Tabs:
        opened.append(Tabs(browser, url or service.url, **options))
        return opened[-1]

    yield start
    for tabs in opened:
        tabs.close()


@pytest.fixture(scope="module")
def profile(browser: Browser, service: ServiceProcess) -> Iterator[Tabs]:
    """Return the profile that the tests of a module share: the second page of a site costs half of the first."""
    shared = Tabs(browser, service.url)
    shared.stay()
    yield shared
    shared.close()


@pytest.fixture
def tabs(profile: Tabs) -> Iterator[Tabs]:
    """Return a profile of the usual kind, without a tab."""
    yield profile
    profile.clear()
