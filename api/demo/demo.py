"""The demo: a dozen jobs on a simulated VMA, kill -9, a restart, and what recovery makes of each job.

Everything is real but the VMA: the service runs as a process of its own, on SQLite, and is killed with SIGKILL.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from adapters.simulated_vma import SimulatedVMA
from api.cli import tables
from api.cli.client import Client
from api.cli.grid import Grid
from api.demo.service import DemoFailed, Service, wait
from api.demo.world import HOUR, SCENARIOS, Scenario

OPEN = {"replicating", "recovering", "pending-retry"}

STATES_OF_TRUTH = {"running": OPEN, "completed": {"completed"}, "failed": {"failed"}}


def demo(arguments: argparse.Namespace) -> None:
    """Show a restart, and check that recovery decided every job correctly.

    Raises:
        DemoFailed: it did not, or something did not come about in time.

    """
    # Ctrl-C must reach the end of the blocks below: they end the processes and delete the data.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    console = Console(width=None if sys.stdout.isatty() else 130)
    pause = 1.0 if arguments.fast else 4.0
    with tempfile.TemporaryDirectory(prefix="job-recovery-demo-") as folder, _world() as (first, second):
        service = Service(Path(folder), first.url, second.url)
        try:
            _show_restart(console, service, first, second, pause)
        finally:
            service.kill()


def _show_restart(console: Console, service: Service, first: SimulatedVMA, second: SimulatedVMA, pause: float) -> None:
    console.rule("1. Twelve jobs are registered, and watched")
    service.start()
    for scenario in SCENARIOS:
        _register(service.client, scenario)
    _watch(console, service.client, _all_seen, at_least=pause)

    console.rule(f"2. kill -9 {service.pid}: the control plane is gone, the VMAs go on")
    service.kill()
    for scenario in SCENARIOS:
        scenario.meanwhile(second if scenario.vma else first, scenario.job_id)
        console.print(f"   {scenario.job_id:8} {scenario.story}")
    time.sleep(pause / 2)

    console.rule("3. The service starts again, asks the VMAs, and decides by its table")
    service.start()
    _watch(console, service.client, _all_decided)
    decided = _jobs(service.client)

    console.rule("4. What could not be known is tried again: the second VMA comes back, the worker starts")
    second.faults.clear()
    first.faults.clear()
    for scenario in SCENARIOS:
        if scenario.progress is None:
            first.world.add_job(scenario.job_id, list(scenario.volumes), duration=HOUR)
    _watch(console, service.client, _all_settled)
    _verdict(console, decided, _jobs(service.client))


def _verdict(console: Console, decided: dict[str, Any], settled: dict[str, Any]) -> None:
    headers = ("job", "what happened", "truth", "decision", "rule", "basis", "now", "verdict")
    table = Grid(*headers, title="Every job: its state on the VMA, what recovery decided, and whether that was right")
    wrong = []
    for scenario in SCENARIOS:
        decision, now = decided[scenario.job_id]["decision"], settled[scenario.job_id]["state"]
        right = decision["rule"] == scenario.rule and now in STATES_OF_TRUTH[scenario.truth]
        if not right:
            wrong.append(scenario.job_id)
        verdict = Text("right", style="green") if right else Text("wrong", style="bold red")
        told = (scenario.job_id, scenario.story, scenario.truth)
        table.add_row(*told, *_decision(decision), tables.state(now), verdict)
    console.print(table.drawn(console.width), soft_wrap=True)
    if wrong:
        raise DemoFailed(f"wrong about {', '.join(wrong)}")
    console.print(f"{len(SCENARIOS)} of {len(SCENARIOS)} right. A decision that was inferred can still be corrected.")


def _decision(decision: dict[str, Any]) -> tuple[str, str, Text]:
    basis = decision["basis"] or "-"
    return decision["outcome"], decision["rule"], Text(basis, "yellow" if basis == "inferred" else "")


def _register(client: Client, scenario: Scenario) -> None:
    body: dict[str, object] = {
        "job_id": scenario.job_id,
        "vm_name": scenario.job_id,
        "volume_ids": list(scenario.volumes),
    }
    client.post("/jobs", body | ({"vma": scenario.vma} if scenario.vma else {}))


@contextmanager
def _world() -> Iterator[tuple[SimulatedVMA, SimulatedVMA]]:
    with SimulatedVMA() as first, SimulatedVMA() as second:
        for job in SCENARIOS:
            if job.progress is not None:
                vma = second if job.vma else first
                vma.world.add_job(job.job_id, list(job.volumes), duration=job.duration, progress=job.progress)
        yield first, second


def _watch(
    console: Console,
    client: Client,
    done: Callable[[dict[str, Any]], bool],
    at_least: float = 0.0,
) -> None:
    """Show the jobs until `done`: on a terminal live, otherwise once at the end."""
    began = time.monotonic()

    def finished() -> bool:
        jobs = _jobs(client)
        live.update(_live_table(jobs, console.width))
        return done(jobs) and time.monotonic() - began >= at_least

    try:
        with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
            wait(finished, "every job to be there")
            live.refresh()
    finally:
        if not console.is_terminal:
            console.print()


def _live_table(jobs: dict[str, Any], width: int) -> Text:
    table = Grid("job", "state", "progress", "VMA says", "rule", "reason")
    for job_id, job in jobs.items():
        decision, live = job["decision"] or {}, job["live"] or {}
        progress = tables.percent(live.get("progress_percent") or job["progress_percent"])
        vma_says, rule = job["vma_status"] or "-", decision.get("rule", "-")
        table.add_row(job_id, tables.state(job["state"]), progress, vma_says, rule, decision.get("reason", ""))
    return table.drawn(width)


def _jobs(client: Client) -> dict[str, Any]:
    return {job["job_id"]: job for job in client.items("/jobs")["items"]}


def _all_seen(jobs: dict[str, Any]) -> bool:
    started = {scenario.job_id for scenario in SCENARIOS if scenario.progress is not None}
    return all(jobs[job_id]["vma_status"] == "running" for job_id in started)


def _all_decided(jobs: dict[str, Any]) -> bool:
    return all(job["decision"] and job["state"] != "recovering" for job in jobs.values())


def _all_settled(jobs: dict[str, Any]) -> bool:
    return all(job["state"] in {"replicating", "completed", "failed"} for job in jobs.values())
