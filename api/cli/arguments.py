"""The commands and their arguments. Imports nothing that a command needs, so that `--help` answers at once."""

from pathlib import Path
from typing import Any

from api.cli.parser import Parser, Version, any_bytes, number

Commands = Any
"""What argparse calls `_SubParsersAction`, and exports under no name."""

PORT = number(int, 0, 65535)
PERCENT = number(float, 0, 100)
POSITION = number(int, 0, 2**53)
ROWS = number(int, 1, 1_000_000)
"""Rows of one table; all of them are in memory."""

AUDIT_ROWS = 100

JSON_OF_THE_API = "print the API's JSON document instead of a table"
JSON_OF_RECOVER = "print JSON instead of a table: `run` and `decisions`, which no single answer of the API has"

SAME_NAME = ("type", "rule", "basis", "outcome", "actor", "state")
IDS = {"job": "job_id", "vm-context": "vm_context_id", "run": "run_id", "stream": "stream_id"}
CHAINED = {"correlation": "correlation_id", "causation": "causation_id"}
AUDIT_FILTERS = IDS | CHAINED | {name: name for name in SAME_NAME}
"""Options, and the API's parameters that they give."""


def top_parser(description: str, epilog: str | None) -> tuple[Parser, Commands]:
    """Return the parser of the command line, and its commands."""
    top = Parser(prog="job-recovery", description=description, epilog=epilog)
    top.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for add in (_add_local, _add_token, _add_queries, _add_writing, _add_audit, _add_replays):
        add(commands)
    return top, commands


def _add_local(commands: Commands) -> None:
    _command(commands, "serve", "run the service", "cli.running.serve")
    meaning = "rebuild the read model from the event log (service stopped)"
    _command(commands, "rebuild", meaning, "cli.maintenance.rebuild")
    meaning = "check the event log against its seals (service running or not)"
    command = _command(commands, "verify", meaning, "cli.maintenance.verify_log")
    command.add_argument("--expect", metavar="POSITION:HASH", help="a seal that `verify` printed earlier")

    meaning = "copy the event log to another database or file, or bring a copy up to date (service running or not)"
    command = _command(commands, "copy", meaning, "cli.copying.copy_log")
    for name, what in (("from", "the log to copy"), ("to", "the copy, which no service may use meanwhile")):
        form = f"{what}: sqlite:////PATH/events.sqlite, or postgresql://USER@HOST/DATABASE"
        option = f"--{name}"
        command.add_argument(option, dest=f"{name}_url", type=any_bytes, metavar="URL", required=True, help=form)
        command.add_argument(f"--{name}-schema", metavar="NAME", help=f"schema of --{name} (default: job_recovery)")

    command = _command(commands, "simulate-vma", "run a simulated VMA", "cli.running.simulate_vma")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=PORT, default=9081)
    command.add_argument("--control-port", type=PORT, default=9082, help="port on which its jobs and faults are set")
    command.add_argument("--world", type=Path, help="JSON file with its jobs")

    command = _command(commands, "demo", "show a restart, from kill -9 to the last recovered job", "demo.demo.demo")
    command.add_argument("--fast", action="store_true", help="shorter pauses")
    command.add_argument("--stay", action="store_true", help="leave the service running at the end, until Ctrl-C")


def _add_token(commands: Commands) -> None:
    token = commands.add_parser("token", help="create, list and revoke tokens (service running or not)")
    actions = token.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)
    action = _command(actions, "create", "create a token, which is shown only once", "cli.tokens.create")
    action.add_argument("name", help="its owner: the actor in the audit trail")
    scopes = ("read", "operate", "admin")
    action.add_argument("--scope", choices=scopes, required=True, help="each includes the one before")
    _command(actions, "list", "list the tokens' names and scopes", "cli.tokens.list_all")
    meaning = "revoke a token; it is refused from the next request on, or within a second on PostgreSQL"
    _command(actions, "revoke", meaning, "cli.tokens.revoke").add_argument("name")


def _add_queries(commands: Commands) -> None:
    command = _client_command(commands, "jobs", "list jobs, now or at an earlier time", "cli.present.jobs")
    meaning = "only jobs in this state; may be repeated: in any of them"
    command.add_argument("--state", action="append", help=meaning)
    meaning = "only jobs of this VM context; may be repeated: of any of them"
    command.add_argument("--vm-context", dest="vm_context_id", action="append", help=meaning)
    command.add_argument("--needs-attention", action="store_const", const=True, help="only jobs that need an operator")
    _add_moment(command, "the jobs")
    _add_limit(command, "jobs")

    command = _client_command(commands, "job", "show one job, now or at an earlier time", "cli.present.job", "JOB")
    command.add_argument("--version", type=int, help="the job at this version")
    _add_moment(command, "the job, as it was believed to be then,")
    known = "also what was known about it by this time, or by position:N; without another moment, the job of this one"
    command.add_argument("--as-known", metavar="TIME", help=known)

    command = _client_command(commands, "contexts", "list VM contexts", "cli.present.contexts")
    command.add_argument("--active", action="store_const", const=True, help="only those with an active job")
    _add_limit(command, "VM contexts")

    command = _client_command(commands, "events", "show what happened to a job", "cli.present.events", "JOB")
    _add_limit(command, "events")
    _add_limit(_client_command(commands, "runs", "list recovery runs, newest first", "cli.present.runs"), "runs", 100)
    _client_command(commands, "instances", "list the instances that share the VMAs", "cli.present.instances")


def _add_writing(commands: Commands) -> None:
    meaning = "register a job, which is then watched"
    command = _client_command(commands, "register", meaning, "cli.present.register", "JOB")
    command.add_argument("--vm-name", required=True, help="the VM's name")
    volume = "a volume of the VM; repeat it for each disk"
    command.add_argument("--volume", dest="volume_ids", action="append", required=True, metavar="ID", help=volume)
    context = "the VM that the job belongs to (default: ctx-JOB)"
    command.add_argument("--vm-context", dest="vm_context_id", metavar="ID", help=context)
    command.add_argument("--vma", metavar="NAME", help="the VMA, as in the settings (default: that of VMA_URL)")
    progress = "progress that the VMA last reported"
    command.add_argument("--progress", dest="progress_percent", type=PERCENT, metavar="PERCENT", help=progress)

    meaning = "complete or fail an open job, or one whose outcome was inferred"
    command = _client_command(commands, "decide", meaning, "cli.present.decide", "JOB")
    command.add_argument("outcome", choices=["complete", "fail"])
    command.add_argument("--why", required=True, help="the reason; it is recorded in the audit trail")
    command.add_argument("--who", help="your name (default: your login name)")

    meaning = "recover all open jobs now"
    command = _client_command(commands, "recover", meaning, "cli.present.recover", json=JSON_OF_RECOVER)
    command.add_argument("--dry-run", action="store_true", help="decide, but record and change nothing")


def _add_audit(commands: Commands) -> None:
    command = _client_command(commands, "audit", "search the events of all jobs", "cli.past.audit")
    for name, parameter in AUDIT_FILTERS.items():
        meaning = f"only events of this {name.replace('-', ' ')}; may be repeated: of any of them"
        command.add_argument(f"--{name}", dest=parameter, action="append", help=meaning)
    _add_period(command, "recorded")
    command.add_argument("--order", choices=("newest", "oldest"), help="default: newest first; exports oldest first")
    command.add_argument("--limit", type=ROWS, metavar="N", help=f"events to show (default: {AUDIT_ROWS})")
    command.add_argument("--export", choices=("ndjson", "csv"), help="write all of them to standard output instead")
    command.add_argument("--chain", type=int, metavar="POSITION", help="the causation chain of the event at POSITION")


def _add_replays(commands: Commands) -> None:
    command = _client_command(commands, "diff", "show how a job changed between two points", "cli.past.diff", "JOB")
    for name, metavar in (("begin", "FROM"), ("end", "TO")):
        command.add_argument(name, metavar=metavar, help="a version, position:N, or a time")

    command = _client_command(
        commands, "replay", "replay a recovery run, or its exported file", "cli.replays.replay_one"
    )
    meaning = "a run's id, or the file of an exported run (no service)"
    command.add_argument("run", type=any_bytes, metavar="RUN|FILE", help=meaning)
    command.add_argument("--job", help="only this job")
    command.add_argument("--export", type=Path, metavar="FILE", help="write the run to a file instead")
    _add_policy(command)

    meaning = "decide one run, or all runs of a period, by another policy"
    command = _client_command(commands, "what-if", meaning, "cli.replays.what_if_runs")
    command.add_argument("--run", dest="run_id", metavar="RUN", help="only the decisions of this run")
    _add_period(command, "decided")
    _add_policy(command)
    _client_command(commands, "compare", "show two recovery runs side by side", "cli.replays.compare", "RUN_A", "RUN_B")


def _command(commands: Commands, name: str, meaning: str, function: str) -> Parser:
    command: Parser = commands.add_parser(name, help=meaning)
    command.set_defaults(function=f"api.{function}")
    return command


def _client_command(
    commands: Commands, name: str, meaning: str, function: str, *ids: str, json: str = JSON_OF_THE_API
) -> Parser:
    """Add a command that asks a service, about these ids; `json` says what it prints as JSON."""
    command = _command(commands, name, meaning, function)
    command.add_argument("--url", help="address of the service (default: from the environment and JOB_RECOVERY_CONFIG)")
    command.add_argument("--json", action="store_true", help=json)
    for metavar in ids:
        command.add_argument(metavar.lower(), metavar=metavar)
    return command


def _add_limit(command: Parser, of: str, default: int | None = None) -> None:
    meaning = f"{of} to show (default: {default or 'all'})"
    command.add_argument("--limit", type=ROWS, default=default, metavar="N", help=meaning)


def _add_moment(command: Parser, what: str) -> None:
    command.add_argument("--at", metavar="TIME", help=f"{what} at this time: after the last event recorded by then")
    after = f"{what} after the event at this position, which is the exact form of a time"
    command.add_argument("--position", type=POSITION, metavar="N", help=after)


def _add_period(command: Parser, happened: str) -> None:
    command.add_argument("--from", metavar="TIME", help=f"{happened} at this time or later")
    command.add_argument("--to", metavar="TIME", help=f"{happened} at this time or before")


def _add_policy(command: Parser) -> None:
    meaning = "a number of another policy, such as complete_above_percent=95; may be repeated"
    command.add_argument("--policy", action="append", default=[], metavar="NAME=VALUE", help=meaning)
