"""The commands `replay`, `what-if` and `compare`."""

import argparse
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

import msgspec

from adapters.identifiers import is_valid_id
from api.cli import past_tables
from api.cli.client import COMPUTING_TIMEOUT, IncompleteExport, connect, in_path
from api.cli.output import refuse_beside, show
from api.cli.parser import refuse_repeated
from api.http.run_views import run_view
from domain.errors import InvalidInput, JobRecoveryError, NotFound
from domain.events import Event
from projections.replay import run_file
from projections.replay.replay import policy_changes, replay, what_if
from projections.replay.results import Change, JobReplay

T = TypeVar("T", Change, JobReplay)


def replay_one(arguments: argparse.Namespace) -> None:
    """Replay a run with the rules of this program, from a service or a file."""
    if arguments.export:
        refuse_beside("--export", arguments, {"job": "job", "policy": "policy", "json": "json"})
        _export(arguments)
        return
    changed = policy_changes(dict(_policy(arguments.policy)))
    events = _events_of(arguments.run, arguments)
    done = replay(events)
    if arguments.job is not None and all(job.job_id != arguments.job for job in done.jobs):
        raise NotFound(f"{done.run.id} has no job {arguments.job[:80]!r}")
    shown = msgspec.to_builtins(
        {
            "run": msgspec.to_builtins(run_view(done.run)),
            "decisions": done.decisions,
            "identical": done.identical,
            "different": done.different,
            "what_if": _of_job(arguments.job, what_if(events, changed)) if changed else None,
            "items": _of_job(arguments.job, done.jobs),
            "next_cursor": None,
        }
    )
    show(arguments, shown, *past_tables.replay_tables(shown))
    if done.different:
        raise JobRecoveryError(f"{len(done.different)} of {done.decisions} decisions have changed; see above")


def _of_job(job_id: str | None, found: Sequence[T]) -> list[T]:
    """Return what is of one job, if one is named."""
    return [one for one in found if job_id in {None, one.job_id}]


def _events_of(run: str, arguments: argparse.Namespace) -> list[Event]:
    """Read a run from the file of this name if there is one, otherwise from the service."""
    with suppress(OSError):
        if not S_ISREG(Path(run).stat().st_mode):
            raise InvalidInput(f"{run!r} is not a regular file")
        return _events_in(Path(run))
    if not is_valid_id(run):
        raise InvalidInput(f"{run[:80]!r} is neither a file nor the id of a run")
    with connect(arguments) as service:
        whole = b"".join(service.export(f"/recovery-runs/{in_path(run, 'run')}/export", 1))
    return list(run_file.read(whole.splitlines()))


def _events_in(path: Path) -> list[Event]:
    try:
        with path.open("rb") as file:
            return list(run_file.read(run_file.lines_of(file)))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None


def _export(arguments: argparse.Namespace) -> None:
    """Write a run to a file, which appears only when it is complete; what is incomplete gets another name."""
    part = arguments.export.with_name(arguments.export.name + ".part")
    try:
        # Never write to an existing file: it may be from a crash, or a link to elsewhere.
        part.unlink(missing_ok=True)
        _receive(arguments, part)
        part.replace(arguments.export)
    except OSError as error:
        raise InvalidInput(f"--export: {arguments.export} cannot be written: {error}") from None
    finally:
        # A name that is invalid for a file cannot be removed either.
        with suppress(OSError):
            part.unlink()
    print(f"wrote {arguments.run} to {arguments.export}: `job-recovery replay {arguments.export}` needs no service")


def _receive(arguments: argparse.Namespace, part: Path) -> None:
    """Write what arrives of a run to a new file; rename that if it is not all."""
    try:
        with connect(arguments) as service, part.open("xb") as file:
            for chunk in service.export(f"/recovery-runs/{in_path(arguments.run, 'run')}/export", 1):
                file.write(chunk)
    except IncompleteExport as cut:
        partial = part.replace(part.with_suffix(".incomplete"))
        raise IncompleteExport(f"{cut}; they are in {partial}. Export again") from None


def what_if_runs(arguments: argparse.Namespace) -> None:
    """Decide one run, or all runs of a period, by another policy."""
    policy = _policy(arguments.policy)
    policy_changes(dict(policy))
    asked = {**policy, "run_id": arguments.run_id, "from": vars(arguments)["from"], "to": arguments.to}
    with connect(arguments) as service:
        found = service.get("/recovery-runs/what-if", COMPUTING_TIMEOUT, **asked)
    remark = f"of {found['decisions']} in {found['runs']} run(s); nothing was written"
    show(arguments, found, past_tables.changed_decisions_table(found["changes"], remark))


def compare(arguments: argparse.Namespace) -> None:
    """Show two recovery runs side by side."""
    with connect(arguments) as service:
        found = service.get("/recovery-runs/compare", COMPUTING_TIMEOUT, a=arguments.run_a, b=arguments.run_b)
    parts = [past_tables.phases_table(found), past_tables.rules_table(found), *past_tables.undecided_text(found)]
    show(arguments, found, *parts)


def _policy(named: Sequence[str]) -> dict[str, str]:
    """Read `name=value` pairs.

    Raises:
        InvalidInput: one of them is not a pair, or a name is repeated.

    """
    pairs = [pair.partition("=") for pair in named]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise InvalidInput(f"--policy: {name + equals + value!r} is not of the form name=value")
    refuse_repeated(Counter(f"--policy {name}" for name, _, _ in pairs))
    return {name: value for name, _, value in pairs}
