"""The commands that ask a service for jobs, and have it recover them."""

import argparse
import getpass
import time

from rich.console import Console
from rich.progress import Progress

from api.cli import past_tables, tables
from api.cli.common import Commands, client, in_path, reading, show
from domain.errors import InvalidInput


def add_to(commands: Commands) -> None:
    """Add these commands to the command line."""
    command = commands.add_parser("jobs", parents=[reading()], help="list jobs, as they are or as they were")
    command.add_argument("--state", help="only jobs in this state")
    command.add_argument("--vm-context", help="only jobs of this VM context")
    command.add_argument("--needs-attention", action="store_true", help="only jobs that a person should see")
    command.add_argument("--at", metavar="TIME", help="the job table as it stood at this time")
    command.set_defaults(command=_jobs)

    command = commands.add_parser("job", parents=[reading()], help="show one job, as it is or as it was")
    command.add_argument("id")
    command.add_argument("--version", type=int, help="as it was at this version")
    command.add_argument("--at", metavar="TIME", help="as it was believed to be at this time")
    command.add_argument(
        "--as-known", metavar="TIME", help="with --at: what is known of it by what was recorded by then"
    )
    command.set_defaults(command=_job)

    command = commands.add_parser("events", parents=[reading()], help="show what happened to a job")
    command.add_argument("id")
    command.set_defaults(command=_events)

    command = commands.add_parser("decide", parents=[reading()], help="complete or fail a job on your word")
    command.add_argument("id", metavar="JOB", help="an open job, or one whose outcome was inferred")
    command.add_argument("outcome", choices=["complete", "fail"])
    command.add_argument("--why", required=True, help="the reason; it is kept in the audit trail")
    command.add_argument("--who", help="your name (default: the name that you are logged in by)")
    command.set_defaults(command=_decide)

    command = commands.add_parser("recover", parents=[reading()], help="recover all open jobs now")
    command.add_argument("--dry-run", action="store_true", help="decide, but record and change nothing")
    command.set_defaults(command=_recover)


def _jobs(arguments: argparse.Namespace) -> None:
    wanted = {
        "state": arguments.state,
        "vm_context_id": arguments.vm_context,
        "needs_attention": "true" if arguments.needs_attention else None,
        "at": arguments.at,
    }
    with client(arguments) as service:
        found = list(service.pages("/jobs", **wanted))
    show(arguments, found, tables.jobs_table(found))


def _job(arguments: argparse.Namespace) -> None:
    if arguments.as_known and not arguments.at:
        raise InvalidInput("--as-known says what is known of the time that --at names, so name one")
    when = {"version": arguments.version, "at": arguments.at, "as_known": arguments.as_known}
    with client(arguments) as service:
        job = service.get(f"/jobs/{in_path(arguments.id)}", **when)
    hindsight = past_tables.hindsight_words(job.pop("hindsight")) if job["hindsight"] else None
    show(arguments, job, tables.job_table(job), *([hindsight] if hindsight else []))


def _events(arguments: argparse.Namespace) -> None:
    with client(arguments) as service:
        found = list(service.pages(f"/jobs/{in_path(arguments.id)}/events"))
    show(arguments, found, tables.events_table(found))


def _decide(arguments: argparse.Namespace) -> None:
    order: dict[str, object] = {"outcome": arguments.outcome, "who": arguments.who or _me(), "why": arguments.why}
    with client(arguments) as service:
        job = service.post(f"/jobs/{in_path(arguments.id)}/decision", order)
    show(arguments, job, tables.job_table(job))


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise InvalidInput("--who: this user has no name here, so say who decides") from None


def _recover(arguments: argparse.Namespace) -> None:
    with client(arguments) as service:
        run = service.post("/recovery-runs", {"dry_run": arguments.dry_run})
        path = f"/recovery-runs/{run['run_id']}"
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("recovering", total=max(1, run["jobs"]))
            while run["status"] == "running":
                progress.update(bar, completed=run["settled"])
                time.sleep(0.2)
                run = service.get(path)
        made = list(service.pages(f"{path}/decisions"))
    title = f"{run['run_id']}{' (dry run: nothing was changed)' if arguments.dry_run else ''}"
    show(arguments, {"run": run, "decisions": made}, tables.decisions_table(made, title))
