"""The commands on jobs and runs: list, show, register, decide, recover."""

import argparse
import getpass
import sys
import time

from rich.console import Console
from rich.progress import Progress

from api.cli import tables
from api.cli.answers import Answer
from api.cli.client import Client, connect, in_path
from api.cli.output import show
from api.cli.past_tables import as_known_text, as_of_text, hindsight_text
from domain.errors import InvalidInput


def jobs(arguments: argparse.Namespace) -> None:
    """List jobs."""
    wanted = {name: vars(arguments)[name] for name in ("state", "vm_context_id", "needs_attention", "at", "position")}
    with connect(arguments) as service:
        found = service.items("/jobs", arguments.limit, **wanted)
    show(arguments, found, tables.jobs_table(found["items"]), *as_of_text(found["as_of"]))


def job(arguments: argparse.Namespace) -> None:
    """Show one job."""
    when = {name: vars(arguments)[name] for name in ("version", "at", "position")}
    with connect(arguments) as service:
        found = service.get(f"/jobs/{in_path(arguments.job)}", **when, as_known=arguments.as_known)
    hindsight = [hindsight_text(found["hindsight"])] if found["hindsight"] else []
    moments = [*as_of_text(found["as_of"]), *as_known_text(found["as_known"])]
    show(arguments, found, tables.job_table(found), *moments, *hindsight)


def contexts(arguments: argparse.Namespace) -> None:
    """List VM contexts."""
    with connect(arguments) as service:
        found = service.items("/vm-contexts", arguments.limit, active=arguments.active)
    show(arguments, found, tables.contexts_table(found["items"]))


def events(arguments: argparse.Namespace) -> None:
    """Show what happened to a job."""
    with connect(arguments) as service:
        found = service.items(f"/jobs/{in_path(arguments.job)}/events", arguments.limit)
    show(arguments, found, tables.events_table(found["items"]))


def runs(arguments: argparse.Namespace) -> None:
    """List recovery runs."""
    with connect(arguments) as service:
        found = service.items("/recovery-runs", arguments.limit)
    show(arguments, found, tables.runs_table(found["items"]))


def instances(arguments: argparse.Namespace) -> None:
    """List the instances that share the VMAs."""
    with connect(arguments) as service:
        found = service.get("/instances")
    show(arguments, found, tables.instances_table(found))


def register(arguments: argparse.Namespace) -> None:
    """Register a job. Safe to repeat: the identical job again changes nothing."""
    names = ("vm_name", "vm_context_id", "volume_ids", "progress_percent", "vma")
    asked = {"job_id": arguments.job} | {name: vars(arguments)[name] for name in names}
    with connect(arguments) as service:
        found = service.post("/jobs", asked)
    show(arguments, found, tables.job_table(found))


def decide(arguments: argparse.Namespace) -> None:
    """Complete or fail a job by an operator's decision."""
    order = {"outcome": arguments.outcome, "who": arguments.who or _login_name(), "why": arguments.why}
    with connect(arguments) as service:
        found = service.post(f"/jobs/{in_path(arguments.job)}/decision", order)
    show(arguments, found, tables.job_table(found))


def recover(arguments: argparse.Namespace) -> None:
    """Start a recovery run, wait for its end, and show its decisions."""
    with connect(arguments) as service:
        run = service.post("/recovery-runs", {"dry_run": arguments.dry_run})
        path = f"/recovery-runs/{in_path(run['run_id'], 'run')}"
        run = _ended(service, path, run)
        made = service.items(f"{path}/decisions")["items"]
    title = run["run_id"] + (" (dry run: nothing was changed)" if arguments.dry_run else "")
    show(arguments, {"run": run, "decisions": made}, tables.decisions_table(made, title))


def _ended(service: Client, path: str, run: Answer) -> Answer:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("recovering", total=max(1, run["jobs"]))
        while run["status"] == "running":
            progress.update(bar, completed=run["settled"])
            time.sleep(0.2)
            run = service.get(path)
    return run


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise InvalidInput("--who: the current user has no login name; give your name") from None
