"""The commands and their arguments. Imports nothing that a command needs: `--help` and a typo answer at once."""

from pathlib import Path
from typing import Any

from api.cli.parser import Parser, Version, percent, whole_number

Commands = Any
"""What argparse calls `_SubParsersAction`, and exports under no name."""

PORT = whole_number(0, 65535)
ROWS = whole_number(1, 1_000_000)
"""Rows of one table; each of them is in memory."""

AUDIT_FILTERS = ("job", "vm-context", "run", "type", "rule", "basis", "outcome", "actor")
TIMES = (("--from", "since", "at this time or later"), ("--to", "until", "at this time or before"))


def top_parser(description: str, epilog: str | None) -> tuple[Parser, Commands]:
    """Return the parser, and where further commands are added."""
    top = Parser(prog="job-recovery", description=description, epilog=epilog)
    top.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for add in (_add_local, _add_token, _add_reading, _add_writing, _add_audit, _add_replays):
        add(commands)
    return top, commands


def _add_local(commands: Commands) -> None:
    commands.add_parser("serve", help="run the service").set_defaults(function="api.cli.running.serve")

    command = commands.add_parser("rebuild", help="rebuild the read model from the event log (service stopped)")
    command.set_defaults(function="api.cli.maintenance.rebuild")

    command = commands.add_parser("verify", help="check the event log against its seals (service running or not)")
    command.add_argument("--expect", metavar="POSITION:HASH", help="a seal that `verify` printed earlier")
    command.set_defaults(function="api.cli.maintenance.verify_log")

    command = commands.add_parser("simulate-vma", help="run a simulated VMA")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=PORT, default=9081)
    command.add_argument("--control-port", type=PORT, default=9082, help="where programs script its jobs and faults")
    command.add_argument("--world", type=Path, help="JSON file with its jobs")
    command.set_defaults(function="api.cli.running.simulate_vma")


def _add_token(commands: Commands) -> None:
    token = commands.add_parser("token", help="create, list and revoke tokens (service running or not)")
    actions = token.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)

    action = actions.add_parser("create", help="create a token, which is shown this once")
    action.add_argument("name", help="who it is for: the actor of what is done with it")
    action.add_argument(
        "--scope", choices=("read", "operate", "admin"), required=True, help="each includes the one before"
    )
    action.set_defaults(function="api.cli.tokens.create")

    actions.add_parser("list", help="list the tokens' names and scopes").set_defaults(
        function="api.cli.tokens.list_all"
    )

    action = actions.add_parser("revoke", help="revoke a token; it is refused from the next request on")
    action.add_argument("name")
    action.set_defaults(function="api.cli.tokens.revoke")


def _add_reading(commands: Commands) -> None:
    command = _client_command(commands, "jobs", "list jobs, as they are or as they were", "present.jobs")
    command.add_argument("--state", help="only jobs in this state")
    command.add_argument("--vm-context", help="only jobs of this VM context")
    command.add_argument("--needs-attention", action="store_true", help="only jobs that an operator should look at")
    command.add_argument("--at", metavar="TIME", help="the job table as it stood at this time")
    _add_limit(command, "jobs")

    command = _client_command(commands, "job", "show one job, as it is or as it was", "present.job")
    command.add_argument("id", metavar="JOB")
    command.add_argument("--version", type=int, help="as it was at this version")
    command.add_argument("--at", metavar="TIME", help="as it was believed to be at this time")
    command.add_argument(
        "--as-known", metavar="TIME", help="with --at: what is known of it by what was recorded by then"
    )

    command = _client_command(commands, "events", "show what happened to a job", "present.events")
    command.add_argument("id", metavar="JOB")
    _add_limit(command, "events")

    command = _client_command(commands, "runs", "list recovery runs, newest first", "present.runs")
    _add_limit(command, "runs", 100)


def _add_writing(commands: Commands) -> None:
    command = _client_command(commands, "register", "register a job, to be watched from now on", "present.register")
    command.add_argument("id", metavar="JOB")
    command.add_argument("--vm-name", required=True, help="the VM's name, as people know it")
    command.add_argument(
        "--volume", action="append", required=True, metavar="ID", help="a volume of the VM; repeat it for each disk"
    )
    command.add_argument("--vm-context", metavar="ID", help="the VM that the job belongs to (default: ctx-JOB)")
    command.add_argument("--vma", metavar="NAME", help="the VMA, as in the settings (default: that of VMA_URL)")
    command.add_argument("--progress", type=percent, metavar="PERCENT", help="progress that the VMA last reported")

    command = _client_command(commands, "decide", "complete or fail a job by your decision", "present.decide")
    command.add_argument("id", metavar="JOB", help="an open job, or one whose outcome was inferred")
    command.add_argument("outcome", choices=["complete", "fail"])
    command.add_argument("--why", required=True, help="the reason; it is recorded in the audit trail")
    command.add_argument("--who", help="your name (default: your login name)")

    command = _client_command(commands, "recover", "recover all open jobs now", "present.recover")
    command.add_argument("--dry-run", action="store_true", help="decide, but record and change nothing")


def _add_audit(commands: Commands) -> None:
    command = _client_command(commands, "audit", "search the events of all jobs", "past.audit")
    for name in AUDIT_FILTERS:
        command.add_argument(f"--{name}", help=f"only events of this {name.replace('-', ' ')}")
    for option, dest, meaning in TIMES:
        command.add_argument(option, dest=dest, metavar="TIME", help=f"recorded {meaning}")
    command.add_argument("--order", choices=("newest", "oldest"), help="default: newest first; exports oldest first")
    _add_limit(command, "events", 100)
    command.add_argument("--export", choices=("ndjson", "csv"), help="write all of them to standard output instead")
    command.add_argument("--chain", type=int, metavar="POSITION", help="the causation chain of the event at POSITION")


def _add_replays(commands: Commands) -> None:
    command = _client_command(commands, "diff", "show how a job changed between two points", "past.diff")
    command.add_argument("id", metavar="JOB")
    command.add_argument("begin", metavar="FROM", help="a version, or a time")
    command.add_argument("end", metavar="TO", help="a version, or a time")

    command = _client_command(commands, "replay", "replay a recovery run, or its exported file", "replays.replay_one")
    command.add_argument("run", metavar="RUN|FILE", help="a run's id; or an exported run: needs no service")
    command.add_argument("--job", help="only this job")
    command.add_argument("--export", type=Path, metavar="FILE", help="write the run to a file instead")
    _add_policy(command)

    command = _client_command(
        commands, "what-if", "decide all runs of a period by another policy", "replays.what_if_runs"
    )
    for option, dest, meaning in TIMES:
        command.add_argument(option, dest=dest, metavar="TIME", help=f"decided {meaning}")
    _add_policy(command)

    command = _client_command(commands, "compare", "show two recovery runs side by side", "replays.compare")
    command.add_argument("a", metavar="RUN")
    command.add_argument("b", metavar="RUN")


def _client_command(commands: Commands, name: str, meaning: str, function: str) -> Parser:
    """Add a command that asks a service."""
    command: Parser = commands.add_parser(name, help=meaning)
    command.add_argument("--url", help="address of the service (default: from the environment and JOB_RECOVERY_CONFIG)")
    command.add_argument("--json", action="store_true", help="print the API's JSON document instead of a table")
    command.set_defaults(function=f"api.cli.{function}")
    return command


def _add_limit(command: Parser, of: str, default: int | None = None) -> None:
    known = default or "all"
    command.add_argument("--limit", type=ROWS, default=default, metavar="N", help=f"{of} to show (default: {known})")


def _add_policy(command: Parser) -> None:
    command.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a number of another policy, such as complete_above_percent=95; may be repeated",
    )
