"""A browser whose tabs are watched: nothing that a page must not do goes unnoticed."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FrameLocator, Locator, Page, expect

PATIENCE = 30_000
"""Milliseconds within which a condition must become true."""

AXE = Path(__file__).parents[2] / "api/console/node_modules/axe-core/axe.min.js"
"""Installed with what builds the console, and no part of it."""

WATCH_POLICY = """
addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile})`);
});
"""
WITHOUT_SHARED_WORKERS = "delete window.SharedWorker"
"""Makes Chromium like Chrome on Android: the page has the stream itself, so that the page's clock is the stream's."""

FAILED_LOAD = "Failed to load resource"

expect.set_options(timeout=PATIENCE)


class Tabs:
    """A browser profile, which tabs share; `faults` are what none of its pages may do."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        """`options` are those of a Playwright context, such as `timezone_id` and `color_scheme`."""
        self.url = url
        self.faults: list[str] = []
        self.refused: list[str] = []
        """Answers that the browser reports as failed: errors of the API, and of the network."""
        self._staying: Page | None = None
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(WATCH_POLICY)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.faults.append(f"exception: {error.error}"))
        self.context.on("request", lambda request: self._check_address(request.url))

    def open(self, path: str = "/") -> Page:
        """Open a page of the console in a tab."""
        page = self.context.new_page()
        page.goto(self.url + path)
        return page

    def stay(self) -> None:
        """Keep a tab on the site until `close`: the browser would end the process of a site without one."""
        self._staying = self.open("/livez")

    def clear(self) -> None:
        """Close all other tabs; the profile keeps what a browser keeps, such as the files of the console.

        Raises:
            AssertionError: a page wrote an error, broke the policy or asked another site.

        """
        for page in self.context.pages:
            if page is not self._staying:
                page.close()
        faults, self.faults, self.refused = self.faults, [], []
        assert not faults, faults

    def close(self) -> None:
        """Close all tabs, and forget the profile. Raises as `clear` does."""
        self.context.close()
        assert not self.faults, self.faults

    def _hear(self, message: ConsoleMessage) -> None:
        # A browser asks by itself for the icon of what is no page of the console.
        if message.type not in {"error", "warning"} or message.location["url"].endswith("/favicon.ico"):
            return
        heard = self.refused if message.text.startswith(FAILED_LOAD) else self.faults
        heard.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _check_address(self, url: str) -> None:
        if not url.startswith((self.url, "about:", "blob:")):
            self.faults.append(f"elsewhere: {url}")


def live(page: Page) -> Locator:
    """Return the badge of a page that is live."""
    return page.get_by_role("status").get_by_text("Live", exact=True)


def wait_until_live(page: Page) -> Page:
    """Return the page when it is live and shows its data."""
    expect(live(page)).to_be_visible()
    return page


def sign_in(page: Page, secret: str, *, keep: bool = False) -> Page:
    """Sign in, and return the page when it is live."""
    page.get_by_label("Token", exact=True).fill(secret)
    if keep:
        page.get_by_label("Keep it until this tab is closed").check()
    page.get_by_role("button", name="Sign in").click()
    return wait_until_live(page)


def rows(page: Page) -> Locator:
    """Return the rows of the list of a page."""
    return page.locator("main [role=option]")


def framed(page: Page, url: str) -> FrameLocator:
    """Return the inside of a frame with this address in a page."""
    page.evaluate(
        """(url) => {
          const frame = document.createElement('iframe');
          frame.src = url;
          document.documentElement.append(frame);
        }""",
        url,
    )
    return page.frame_locator("iframe")


def expect_not_framed(page: Page, url: str) -> None:
    """Check that the browser refuses to show this address in a frame."""
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        inner = framed(page, url)
    expect(inner.locator("#app")).to_have_count(0)


def axe_violations(page: Page) -> list[str]:
    """Return what axe-core finds in a page, with the elements."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {one['help']}: {json.dumps([(node['target'], node['html']) for node in one['nodes']])}"
        for one in found["violations"]
    ]
