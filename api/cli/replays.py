"""The commands that replay recovery runs: as they were, under another policy, and side by side."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from adapters.identifiers import is_valid_id
from api.cli import past_tables
from api.cli.client import connect, in_path
from api.cli.output import show
from domain.errors import InvalidInput, JobRecoveryError
from domain.events import Event
from projections.replay import run_file
from projections.replay.replay import policy_changes, replay, what_if


def replay_one(arguments: argparse.Namespace) -> None:
    """Replay a run with the rules of this very program, wherever the events come from."""
    if arguments.export:
        _export(arguments)
        return
    changed = policy_changes(dict(_policy(arguments.policy)))
    events = _events_of(arguments.run, arguments)
    done = replay(events)
    shown = msgspec.to_builtins(
        {
            "run": {"run_id": done.run.id},
            "decisions": done.decisions,
            "identical": done.identical,
            "different": done.different,
            "what_if": what_if(events, changed) if changed else None,
            "items": [job for job in done.jobs if arguments.job in {None, job.job_id}],
            "next_cursor": None,
        }
    )
    show(arguments, shown, *past_tables.replay_tables(shown))
    if done.different:
        raise JobRecoveryError(f"{len(done.different)} of {done.decisions} decisions have changed; see above")


def _events_of(run: str, arguments: argparse.Namespace) -> list[Event]:
    if _is_file(Path(run)):
        return _events_in(Path(run))
    with suppress(OSError):
        if Path(run).exists():
            raise InvalidInput(f"{run!r} is not a regular file")
    if not is_valid_id(run):
        raise InvalidInput(f"{run[:80]!r} is neither a file nor the id of a run")
    with connect(arguments) as service:
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
        with connect(arguments) as service, part.open("xb") as file:
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


def what_if_runs(arguments: argparse.Namespace) -> None:
    """Decide all runs of a period by another policy."""
    policy = _policy(arguments.policy)
    policy_changes(dict(policy))
    asked = {**policy, "from": arguments.since, "to": arguments.until}
    with connect(arguments) as service:
        found = service.computed("/recovery-runs/what-if", **asked)
    title = f"of {found['decisions']} in {found['runs']} run(s); nothing was written"
    show(arguments, found, past_tables.changed_decisions_table(found["changes"], title))


def compare(arguments: argparse.Namespace) -> None:
    """Show two recovery runs side by side."""
    with connect(arguments) as service:
        found = service.computed("/recovery-runs/compare", a=arguments.a, b=arguments.b)
    show(arguments, found, past_tables.phases_table(found), past_tables.rules_table(found))


def _policy(named: Sequence[str]) -> dict[str, str]:
    """Read `name=value` pairs.

    Raises:
        InvalidInput: one of them is no pair.

    """
    pairs = [pair.partition("=") for pair in named]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise InvalidInput(f"--policy: {name + equals + value!r} is not of the form name=value")
    return {name: value for name, _, value in pairs}


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; what cannot be the name of one is none."""
    try:
        return path.is_file()
    except OSError:
        return False
