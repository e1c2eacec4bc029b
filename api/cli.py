"""The command line.

Exit codes: 0 done, 1 failed, 2 bad input or settings, 3 the data directory is held by another process, 4 not found.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import Progress

from adapters.lease import DataDirectoryHeld
from api import tables
from api.client import Client
from api.settings import load_settings
from domain.errors import InvalidInput, JobRecoveryError, NotFound
from domain.identifiers import is_valid_id

OK, FAILED, BAD_INPUT, HELD, NOT_FOUND = range(5)

EXIT_CODES: dict[type[JobRecoveryError], int] = {
    InvalidInput: BAD_INPUT,
    DataDirectoryHeld: HELD,
    NotFound: NOT_FOUND,
    JobRecoveryError: FAILED,
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message} (see `{self.prog} --help`)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are one line on standard error."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.command(arguments)
    except JobRecoveryError as error:
        print(f"job-recovery: {error}", file=sys.stderr)
        return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        return OK
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="job-recovery",
        description="Brings VM replication jobs safely through a restart.",
        epilog=__doc__,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    reading = _Parser(add_help=False)
    reading.add_argument("--url", help="address of the service (default: from the settings)")
    reading.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = commands.add_parser("serve", help="run the service")
    command.set_defaults(command=_serve)

    command = commands.add_parser("jobs", parents=[reading], help="list jobs")
    command.add_argument("--state", help="only jobs in this state")
    command.add_argument("--vm-context", help="only jobs of this VM context")
    command.add_argument("--needs-attention", action="store_true", help="only jobs that a person should see")
    command.set_defaults(command=_jobs)

    command = commands.add_parser("job", parents=[reading], help="show one job")
    command.add_argument("id")
    command.set_defaults(command=_job)

    command = commands.add_parser("events", parents=[reading], help="show what happened to a job")
    command.add_argument("id")
    command.set_defaults(command=_events)

    command = commands.add_parser("recover", parents=[reading], help="recover all open jobs now")
    command.add_argument("--dry-run", action="store_true", help="decide, but record and change nothing")
    command.set_defaults(command=_recover)

    command = commands.add_parser("rebuild", help="rebuild the read model from the event log (service stopped)")
    command.set_defaults(command=_rebuild)

    command = commands.add_parser("simulate-vma", help="run a simulated VMA")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=9081)
    command.add_argument("--control-port", type=int, default=9082, help="where its world is scripted")
    command.add_argument("--world", type=Path, help="JSON file with the jobs of its world")
    command.set_defaults(command=_simulate_vma)

    command = commands.add_parser("demo", help="show a restart, from kill -9 to every job recovered")
    command.add_argument("--fast", action="store_true", help="shorter pauses")
    command.set_defaults(command=_demo)
    return parser


# The commands that run something import it themselves: those that only ask a service start three times faster.


def _serve(_: argparse.Namespace) -> None:
    from api.logs import configure  # noqa: PLC0415
    from api.server import serve  # noqa: PLC0415

    settings = load_settings()
    serve(settings, configure(settings.log_format, settings.log_level))


def _rebuild(_: argparse.Namespace) -> None:
    from api.maintenance import rebuild  # noqa: PLC0415

    rebuild(load_settings())


def _jobs(arguments: argparse.Namespace) -> None:
    wanted = {
        "state": arguments.state,
        "vm_context_id": arguments.vm_context,
        "needs_attention": "true" if arguments.needs_attention else None,
    }
    with _client(arguments) as client:
        found = list(client.pages("/jobs", **wanted))
    _show(arguments, found, tables.jobs_table(found))


def _job(arguments: argparse.Namespace) -> None:
    with _client(arguments) as client:
        job = client.get(f"/jobs/{_checked(arguments.id)}")
    _show(arguments, job, tables.job_table(job))


def _events(arguments: argparse.Namespace) -> None:
    with _client(arguments) as client:
        found = list(client.pages(f"/jobs/{_checked(arguments.id)}/events"))
    _show(arguments, found, tables.events_table(found))


def _recover(arguments: argparse.Namespace) -> None:
    with _client(arguments) as client:
        run = client.post("/recovery-runs", {"dry_run": arguments.dry_run})
        path = f"/recovery-runs/{run['run_id']}"
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("recovering", total=max(1, run["jobs"]))
            while run["status"] == "running":
                progress.update(bar, completed=run["settled"])
                time.sleep(0.2)
                run = client.get(path)
        made = list(client.pages(f"{path}/decisions"))
    title = f"{run['run_id']}{' (dry run: nothing was changed)' if arguments.dry_run else ''}"
    _show(arguments, {"run": run, "decisions": made}, tables.decisions_table(made, title))


def _simulate_vma(arguments: argparse.Namespace) -> None:
    from adapters.simulated_vma import run  # noqa: PLC0415

    run(arguments.host, arguments.port, arguments.control_port, arguments.world)


def _demo(arguments: argparse.Namespace) -> None:
    from api.demo import run_demo  # noqa: PLC0415

    run_demo(fast=arguments.fast)


def _client(arguments: argparse.Namespace) -> Client:
    if arguments.url:
        return Client(arguments.url)
    settings = load_settings()
    return Client(f"http://{settings.host}:{settings.port}")


def _checked(job_id: str) -> str:
    if not is_valid_id(job_id):
        raise InvalidInput(f"{job_id[:80]!r} cannot be the id of a job")
    return job_id


def _show(arguments: argparse.Namespace, data: Any, table: Any) -> None:  # noqa: ANN401 - JSON, and its table
    if arguments.json:
        print(json.dumps(data, indent=2))
    else:
        Console().print(table)
