"""The commands about the past: the audit trail, what became of a job, replays and what-ifs."""

import argparse
import codecs
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from adapters.identifiers import is_valid_id
from adapters.plain_text import visible
from api.cli import past_tables
from api.cli.common import Commands, Parser, client, in_path, is_file, numbers, reading, show
from domain.errors import InvalidInput, JobRecoveryError
from domain.events import Event
from projections.replay import run_file
from projections.replay.replay import policy_changes, replay, what_if

FILTERS = ("job", "vm-context", "run", "type", "rule", "basis", "outcome", "actor")
MOST_SHOWN = 1_000_000
"""Events in one table; nobody reads more, and each of them is held in memory."""


def add_to(commands: Commands) -> None:
    """Add these commands to the command line."""
    _add_audit(commands)

    command = commands.add_parser("diff", parents=[reading()], help="show what became of a job between two points")
    command.add_argument("id")
    command.add_argument("begin", metavar="FROM", help="a version, or a time")
    command.add_argument("end", metavar="TO", help="a version, or a time")
    command.set_defaults(command=_diff)

    command = commands.add_parser("replay", parents=[reading()], help="replay a recovery run, or its exported file")
    command.add_argument("run", metavar="RUN|FILE", help="the run's id; or an exported run, for which no service runs")
    command.add_argument("--job", help="only this job")
    command.add_argument("--export", type=Path, metavar="FILE", help="write the run to a file instead")
    _add_policy(command)
    command.set_defaults(command=_replay)

    command = commands.add_parser("what-if", parents=[reading()], help="decide all runs of a period by another policy")
    command.add_argument("--from", dest="since", metavar="TIME", help="decided at this time or later")
    command.add_argument("--to", dest="until", metavar="TIME", help="decided at this time or before")
    _add_policy(command)
    command.set_defaults(command=_what_if)

    command = commands.add_parser("compare", parents=[reading()], help="show two recovery runs side by side")
    command.add_argument("a", metavar="RUN")
    command.add_argument("b", metavar="RUN")
    command.set_defaults(command=_compare)


def _add_audit(commands: Commands) -> None:
    command = commands.add_parser("audit", parents=[reading()], help="search the events of all jobs")
    for name in FILTERS:
        command.add_argument(f"--{name}", help=f"only events of this {name.replace('-', ' ')}")
    command.add_argument("--from", dest="since", metavar="TIME", help="recorded at this time or later")
    command.add_argument("--to", dest="until", metavar="TIME", help="recorded at this time or before")
    command.add_argument("--order", choices=("newest", "oldest"), help="default: newest first; exports oldest first")
    command.add_argument("--limit", type=int, default=100, help="events to show (default: 100)")
    command.add_argument("--export", choices=("ndjson", "csv"), help="write all of them to standard output instead")
    command.add_argument("--chain", type=int, metavar="POSITION", help="follow the event at this position back")
    command.set_defaults(command=_audit)


def _add_policy(command: Parser) -> None:
    command.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a number of another policy, such as complete_above_percent=95; may be repeated",
    )


def _audit(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.limit <= MOST_SHOWN:
        raise InvalidInput(f"--limit: must be from 1 to {MOST_SHOWN}; --export writes all there are")
    wanted = _filters(arguments)
    with client(arguments) as service:
        if arguments.export:
            _print_export(service.stream("/audit/export", format=arguments.export, **wanted))
            return
        if arguments.chain is not None:
            chain = service.get(f"/audit/{arguments.chain}/chain")
            show(arguments, chain, past_tables.chain_table(chain))
            return
        found = service.some("/audit", arguments.limit, **wanted)
    show(arguments, found, past_tables.audit_table(found))


def _print_export(parts: Iterator[bytes]) -> None:
    """Write an export as it comes; to a terminal, with nothing in it that a terminal obeys."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.writelines(parts)
        return
    for text in codecs.iterdecode(parts, "utf-8", "replace"):
        print("\n".join(map(visible, text.split("\n"))), end="")


def _filters(arguments: argparse.Namespace) -> dict[str, str | None]:
    return {
        "job_id": arguments.job,
        "vm_context_id": arguments.vm_context,
        "run_id": arguments.run,
        "type": arguments.type,
        "rule": arguments.rule,
        "basis": arguments.basis,
        "outcome": arguments.outcome,
        "actor": arguments.actor,
        "from": arguments.since,
        "to": arguments.until,
        "order": arguments.order,
    }


def _diff(arguments: argparse.Namespace) -> None:
    with client(arguments) as service:
        found = service.get(f"/jobs/{in_path(arguments.id)}/diff", **{"from": arguments.begin, "to": arguments.end})
    show(arguments, found, past_tables.changes_table(found), past_tables.between_table(found))


def _replay(arguments: argparse.Namespace) -> None:
    """Replay with the rules of this very program, wherever the events come from."""
    if arguments.export:
        _export(arguments)
        return
    changed = policy_changes(dict(numbers(arguments.policy)))
    events = _events_of(arguments.run, arguments)
    done = replay(events)
    shown = msgspec.to_builtins(
        {
            "run_id": done.run.id,
            "decisions": done.decisions,
            "identical": done.identical,
            "different": done.different,
            "what_if": what_if(events, changed) if changed else None,
            "jobs": [job for job in done.jobs if arguments.job in {None, job.job_id}],
        }
    )
    show(arguments, shown, *past_tables.replay_tables(shown))
    if done.different:
        raise JobRecoveryError(f"{len(done.different)} of {done.decisions} decisions would now be others; see above")


def _events_of(run: str, arguments: argparse.Namespace) -> list[Event]:
    if is_file(Path(run)):
        return _events_in(Path(run))
    with suppress(OSError):
        if Path(run).exists():
            raise InvalidInput(f"{run!r} is not a regular file")
    if not is_valid_id(run):
        raise InvalidInput(f"{run[:80]!r} is neither a file nor the id of a run")
    with client(arguments) as service:
        whole = b"".join(service.stream(f"/recovery-runs/{in_path(run, 'run')}/export"))
    return list(run_file.read(whole.splitlines()))


def _events_in(path: Path) -> list[Event]:
    try:
        with path.open("rb") as file:
            return list(run_file.read(run_file.lines_of(file)))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None


def _export(arguments: argparse.Namespace) -> None:
    """Write a run to a file, which is there only when it is whole."""
    part = arguments.export.with_name(arguments.export.name + ".part")
    try:
        # What lies there, left by a crash or a link that leads elsewhere, is not written to.
        part.unlink(missing_ok=True)
        with client(arguments) as service, part.open("xb") as file:
            for chunk in service.stream(f"/recovery-runs/{in_path(arguments.run, 'run')}/export"):
                file.write(chunk)
        part.replace(arguments.export)
    except OSError as error:
        raise InvalidInput(f"--export: {arguments.export} cannot be written: {error}") from None
    finally:
        # A name that no file can have was never made, and cannot be removed.
        with suppress(OSError):
            part.unlink()
    print(f"wrote {arguments.run} to {arguments.export}: `job-recovery replay {arguments.export}` needs no service")


def _what_if(arguments: argparse.Namespace) -> None:
    policy = numbers(arguments.policy)
    policy_changes(dict(policy))
    asked = {**policy, "from": arguments.since, "to": arguments.until}
    with client(arguments) as service:
        found = service.get("/recovery-runs/what-if", **asked)
    title = f"{found['decisions']} of {found['runs']} run(s) were decided again; nothing was written"
    show(arguments, found, past_tables.changed_decisions_table(found["changes"], title))


def _compare(arguments: argparse.Namespace) -> None:
    with client(arguments) as service:
        found = service.get("/recovery-runs/compare", a=arguments.a, b=arguments.b)
    show(arguments, found, past_tables.phases_table(found), past_tables.rules_table(found))
