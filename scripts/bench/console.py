"""Measures the console's list of jobs: frames per second while scrolling, CPU, first paint, and the heap.

    .venv/bin/python scripts/bench/console.py [--jobs 10000] [--rate 500] [--events 2000000]

A stub answers the list of jobs and the stream, so that the service's own work is not measured; a real service answers
everything else. Each figure stands beside its floors in the same browser: the same list while no job changes, and as
many rows of plain HTML. The CPU is that of the pages and workers, and beside it that of all of Chromium, which draws
without a GPU.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from console_stub import Stub, Templates

from adapters.simulated_vma import SimulatedVMA
from tests.console import chromium
from tests.console.jobs import run_some
from tests.console.tabs import wait_until_live
from tests.support.service import ServiceProcess

SECONDS = 15
"""How long frames and CPU are counted."""

FRAMES = """([seconds, step]) => new Promise((done) => {
  const list = document.querySelector('[role=listbox], #plain');
  const began = performance.now();
  let frames = 0;
  const draw = (now) => {
    frames += 1;
    list.scrollTop += step;
    if (now - began < seconds * 1000) requestAnimationFrame(draw);
    else done([frames / ((now - began) / 1000), list.scrollTop]);
  };
  list.scrollTop = 0;
  requestAnimationFrame(draw);
})"""
"""Scrolls in every frame, and returns the frames per second and how far it came."""

STEP = 90
"""Pixels by which a frame scrolls."""

PLAIN = """<!doctype html><style>#plain { height: 90vh; overflow: auto } .row { height: 62px; contain: strict }
.row span { display: inline-block; width: 11%% }</style><div id=plain></div><script>
const row = (n) => `<div class=row>${`<span>row ${n}</span>`.repeat(9)}</div>`;
document.querySelector('#plain').innerHTML = Array.from({ length: %d }, (_, n) => row(n)).join('');
</script>"""

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main(jobs: int, rate: int, events: int) -> None:
    """Measure and print."""
    with SimulatedVMA() as vma, tempfile.TemporaryDirectory() as folder:
        service = ServiceProcess(Path(folder) / "data", vma.url)
        try:
            service.start()
            run_some(vma, service, "web-01")
            with Stub(templates(service), jobs) as stub, sync_playwright() as playwright:
                measure(
                    playwright.chromium.launch(executable_path=chromium.find(chromium.BROWSERS)),
                    stub,
                    jobs,
                    rate,
                    events,
                )
        finally:
            service.close()


def templates(service: ServiceProcess) -> Templates:
    """Return what the stub imitates: a job, and the last event about it."""
    events = service.get("/api/v1/audit", job_id="web-01", limit=1).json()["items"]
    return Templates(service.url, service.job("web-01"), events[0])


def measure(browser: Browser, stub: Stub, jobs: int, rate: int, events: int) -> None:
    """Take all figures, one after the other."""
    plain = browser.new_page()
    plain.set_content(PLAIN % jobs)
    report(f"{jobs} rows of plain HTML", plain, scrolling=True)
    plain.close()
    page = opened(browser, stub, jobs)
    report("the list, no changes", page, scrolling=True)
    stub.change(rate)
    report(f"the list, {rate} changes/s", page, scrolling=True)
    report(f"the list at rest, {rate} changes/s", page, scrolling=False)
    stub.change(0)
    page.close()
    if events:
        measure_heap(browser, stub, jobs, events)


def opened(browser: Browser, stub: Stub, jobs: int) -> Page:
    """Open the list of jobs, print its first paint, and return it when it is live and has all jobs."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(stub.url)
    wait_until_live(page).locator(f"[aria-setsize='{jobs}']").first.wait_for()
    print(f"first paint of the list: {page.evaluate(FIRST_PAINT):.0f} ms", flush=True)
    return page


def report(what: str, page: Page, *, scrolling: bool) -> None:
    """Print the frames per second and the CPU of some seconds."""
    before, began = cpu_seconds(), time.monotonic()
    frames, reached = page.evaluate(FRAMES, [SECONDS, STEP if scrolling else 0])
    took = time.monotonic() - began
    pages, everything = (100 * (now - then) / took for now, then in zip(cpu_seconds(), before, strict=True))
    cpu = f"pages {pages:.0f} % of a core, all of Chromium {everything:.0f} %"
    print(f"{what}: {frames:.1f} frames/s over {reached:,} pixels, {cpu}", flush=True)


def cpu_seconds() -> tuple[float, float]:
    """Return the CPU that this program's Chromium has taken: its pages and workers, and all of it."""
    chromiums = [process for process in descendants() if "chromium" in process.command]
    pages = [process for process in chromiums if "--type=renderer" in process.command]
    return sum(process.seconds for process in pages), sum(process.seconds for process in chromiums)


class Process(NamedTuple):
    """A running process."""

    parent: int
    command: str
    seconds: float


def descendants() -> list[Process]:
    """Return the processes that this one has started, directly and indirectly."""
    found = processes()
    mine = {os.getpid()}
    while more := {number for number, process in found.items() if process.parent in mine} - mine:
        mine |= more
    return [process for number, process in found.items() if number in mine - {os.getpid()}]


def processes() -> dict[int, Process]:
    """Return all processes of this machine by number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # One that has ended meanwhile is none.
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks = int(fields[11]) + int(fields[12])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found[int(folder.name)] = Process(int(fields[1]), command, ticks / os.sysconf("SC_CLK_TCK"))
    return found


def measure_heap(browser: Browser, stub: Stub, jobs: int, events: int) -> None:
    """Print the heap of a tab before and after many events, each after a collection of garbage."""
    page = opened(browser, stub, jobs)
    page.wait_for_timeout(5_000)
    session = page.context.new_cdp_session(page)
    before, began = heap(session), time.monotonic()
    stub.send_many(events)
    page.wait_for_timeout(5_000)
    after = heap(session)
    took = time.monotonic() - began
    print(
        f"heap before {before:.1f} MB, after {events:,} events in {took:.0f} s {after:.1f} MB ({after / before:.2f} x)"
    )
    page.close()


def heap(session: CDPSession) -> float:
    """Return the megabytes in use after a collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    found: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return float(found["usedSize"]) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=500, help="changes per second while frames are counted")
    parser.add_argument("--events", type=int, default=2_000_000, help="events into one tab; 0 for none")
    asked = parser.parse_args()
    main(asked.jobs, asked.rate, asked.events)
