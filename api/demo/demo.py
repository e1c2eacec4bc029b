"""The demo: a dozen jobs on simulated VMAs, kill -9, a restart, and the decision about each job.

Only the VMAs are simulated: the service runs as a process of its own, on SQLite, and is killed with SIGKILL.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from adapters.simulated_vma import SimulatedVMA
from api.cli import tables
from api.cli.client import Client
from api.cli.grid import Grid
from api.demo.service import DemoFailed, DemoService, wait
from api.demo.world import HOUR, SCENARIOS

OPEN = {"replicating", "recovering", "pending-retry"}
STATES_OF_TRUTH = {"running": OPEN, "completed": {"completed"}, "failed": {"failed"}}


def demo(arguments: argparse.Namespace) -> None:
    """Show a restart, and check that recovery decided every job correctly.

    Raises:
        DemoFailed: a decision was wrong, or a step took too long.

    """
    _end_as_by_ctrl_c()
    console = Console(width=None if sys.stdout.isatty() else 130)
    pause = 1.0 if arguments.fast else 4.0
    with tempfile.TemporaryDirectory(prefix="job-recovery-demo-") as folder, _world() as (first, second):
        service = DemoService(Path(folder), first.url, second.url)
        try:
            _show_restart(console, service, first, second, pause)
            _offer_to_stay(console, service.url, stay=arguments.stay)
        finally:
            service.kill()


def _end_as_by_ctrl_c() -> None:
    """Have each signal that ends the demo raise an exception: its blocks then end the processes and delete the data."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup` has SIGHUP ignored.
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _show_restart(
    console: Console, service: DemoService, first: SimulatedVMA, second: SimulatedVMA, pause: float
) -> None:
    console.print(f"The web console of the demo's service: {service.url} shows what follows as it happens.")
    console.rule("1. Thirteen jobs are registered, and watched")
    service.start()
    for scenario in SCENARIOS:
        job = {"job_id": scenario.job_id, "vm_name": f"vm-{scenario.job_id}", "vma": scenario.vma}
        service.client.post("/jobs", job | {"volume_ids": scenario.volumes})
    _watch(console, service.client, lambda job: job["vma_status"] in {"running", "not_found"}, at_least=pause)

    console.rule("2. kill -9: the control plane is gone, the VMAs go on")
    service.kill()
    for scenario in SCENARIOS:
        scenario.meanwhile(second if scenario.vma else first, scenario.job_id)
        console.print(f"   {scenario.job_id:8} {scenario.story}")
    time.sleep(pause / 2)

    console.rule("3. The service starts again, asks the VMAs, and decides each job by the decision table")
    service.start()
    _watch(console, service.client, lambda job: job["decision"] and job["state"] != "recovering")
    decided = _jobs(service.client)

    console.rule("4. Jobs in pending-retry are retried: the second VMA comes back, the last worker starts")
    second.faults.clear()
    first.faults.clear()
    for scenario in SCENARIOS:
        if scenario.progress is None:
            first.world.add_job(scenario.job_id, list(scenario.volumes), duration=HOUR)
    _watch(console, service.client, lambda job: job["state"] in {"replicating", "completed", "failed"})
    _verdict(console, decided, _jobs(service.client))


def _offer_to_stay(console: Console, url: str, *, stay: bool) -> None:
    if not stay:
        console.print("With --stay the service goes on, for a look at its web console and its API.")
        return
    console.print(f"The service goes on at {url} until Ctrl-C, which deletes its data.")
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _verdict(console: Console, decided: dict[str, Any], final: dict[str, Any]) -> None:
    rows, wrong = [], []
    for job in SCENARIOS:
        decision, now = decided[job.job_id]["decision"], final[job.job_id]["state"]
        verdict = Text("right", style="green")
        if decision["rule"] != job.rule or now not in STATES_OF_TRUTH[job.truth]:
            wrong.append(job.job_id)
            verdict = Text("wrong", style="bold red")
        rows.append((job.job_id, job.story, job.truth, tables.ruling(decision), tables.state(now), verdict))
    title = "Every job: its state on the VMA, what recovery decided, and whether that was right"
    table = Grid("job", "what happened", "truth", "decision", "now", "verdict", rows=rows, title=title)
    console.print(table.drawn(console.width), soft_wrap=True)
    if wrong:
        raise DemoFailed(f"decided wrongly: {', '.join(wrong)}")
    console.print(f"{len(SCENARIOS)} of {len(SCENARIOS)} right. A decision that was inferred can still be corrected.")


@contextmanager
def _world() -> Iterator[tuple[SimulatedVMA, SimulatedVMA]]:
    with SimulatedVMA() as first, SimulatedVMA() as second:
        for job in SCENARIOS:
            if job.progress is not None:
                vma = second if job.vma else first
                vma.world.add_job(job.job_id, list(job.volumes), duration=job.duration, progress=job.progress)
        yield first, second


def _watch(console: Console, client: Client, done: Callable[[tables.Row], bool], at_least: float = 0.0) -> None:
    """Show the jobs until each is `done`: on a terminal live, otherwise once at the end."""
    began = time.monotonic()

    def finished() -> bool:
        jobs = client.items("/jobs")["items"]
        live.update(tables.jobs_table(jobs).drawn(console.width))
        return all(map(done, jobs)) and time.monotonic() - began >= at_least

    try:
        with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
            wait(finished, "the jobs' expected states")
            live.refresh()
    finally:
        if not console.is_terminal:
            console.print()


def _jobs(client: Client) -> dict[str, Any]:
    return {job["job_id"]: job for job in client.items("/jobs")["items"]}
