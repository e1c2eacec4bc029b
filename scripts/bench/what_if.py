"""Measures the what-if screen over a recorded run of many jobs: from the move of a slider to the answer on the screen.

    .venv/bin/python scripts/bench/what_if.py [JOBS]

The real service decides about the jobs after a kill -9, during which the VMA forgot half of them, with 80 to 99 % done.
Then Chromium moves each slider, by a step and to its ends, where up to half of the jobs change. The page itself tells
how long each answer took, and waits 40 ms of it for a slider that is still being moved. The floor is the same by HTTP.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.simulated_vma import SimulatedVMA
from tests.console import chromium
from tests.console.tabs import wait_until_live
from tests.support.fleet import register_fleet, wait_for_all
from tests.support.service import ServiceProcess, wait_until

MOVES = ("ArrowRight", "ArrowLeft", "End", "Home")
"""How each slider is moved."""

QUIET = {"POLL_INTERVAL": "60", "CONFIRMATION_WINDOW": "3", "RECONCILE_FOR": "1"}
"""Few requests to the VMA while the page is measured: it is the answer that is measured, not the polls beside it."""

PATIENCE = 120.0
"""Seconds within which all jobs are polled."""


def main(jobs: int) -> None:
    """Measure and print."""
    names = [f"job-{n:05}" for n in range(jobs)]
    with SimulatedVMA() as vma, tempfile.TemporaryDirectory() as folder:
        for n, name in enumerate(names):
            vma.world.add_job(name, [f"disk-{name}"], duration=360_000, progress=80 + n % 20)
        service = ServiceProcess(Path(folder) / "data", vma.url, **QUIET)
        try:
            service.start()
            register_fleet(service, names)
            wait_for_all(service, PATIENCE, vma_status="running")
            service.kill()
            for name in names[: jobs // 2]:
                vma.world.remove(name)
            service.start()
            (run,) = wait_until(lambda: service.completed("restart"), PATIENCE)
            service.finished_run(run["run_id"])
            measure(service, run["run_id"])
        finally:
            service.close()


def measure(service: ServiceProcess, run_id: str) -> None:
    """Ask by HTTP, and then in the page."""
    report("by HTTP", [by_http(service, run_id, percent) for percent in range(80, 100)])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(chromium.BROWSERS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{service.url}/what-if?run={run_id}")
        wait_until_live(page)
        report("in the page", in_the_page(page))


def by_http(service: ServiceProcess, run_id: str, percent: int) -> float:
    """Ask for another threshold; return the milliseconds."""
    began = time.monotonic()
    answer = service.get("/api/v1/recovery-runs/what-if", run_id=run_id, complete_above_percent=percent)
    answer.raise_for_status()
    return 1000 * (time.monotonic() - began)


def in_the_page(page: Page) -> list[float]:
    """Move each slider; return the milliseconds that the page tells."""
    page.locator("input[type=range]").first.wait_for()
    sliders = page.locator("input[type=range]").all()
    return [moved(page, slider, key) for slider in sliders for key in MOVES]


def moved(page: Page, slider: Locator, key: str) -> float:
    """Move a slider by a step; return the milliseconds until its answer."""
    summary = page.locator(".summary")
    slider.press(key)
    expect(summary).to_have_attribute("aria-busy", "false")
    return float(summary.inner_text().rpartition("answered in ")[2].partition(" ms")[0])


def report(what: str, milliseconds: list[float]) -> None:
    """Print the median and the slowest ones."""
    slowest = ", ".join(f"{one:.0f}" for one in sorted(milliseconds)[-3:])
    print(
        f"{what}: median of {len(milliseconds)} {statistics.median(milliseconds):.0f} ms, slowest {slowest} ms",
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
