"""The commands about the past: the audit trail, and how a job changed."""

import argparse
import codecs
import sys
from collections.abc import Iterator

from adapters.plain_text import visible
from api.cli import past_tables
from api.cli.client import connect, in_path
from api.cli.output import show

FILTERS = {
    "job_id": "job",
    "vm_context_id": "vm_context",
    "run_id": "run",
    "from": "since",
    "to": "until",
    **{name: name for name in ("type", "rule", "basis", "outcome", "actor", "order")},
}
"""Parameters of the API, and the arguments that they are read from."""


def audit(arguments: argparse.Namespace) -> None:
    """Search the events of all jobs."""
    wanted = _filters(arguments)
    with connect(arguments) as service:
        if arguments.export:
            _print_export(service.stream("/audit/export", format=arguments.export, **wanted))
            return
        if arguments.chain is not None:
            chain = service.get(f"/audit/{arguments.chain}/chain")
            show(arguments, chain, past_tables.chain_table(chain))
            return
        found = service.items("/audit", arguments.limit, **wanted)
    show(arguments, found, past_tables.audit_table(found["items"]))


def _print_export(parts: Iterator[bytes]) -> None:
    """Write an export as it comes; to a terminal, with nothing in it that a terminal obeys."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.writelines(parts)
        return
    for text in codecs.iterdecode(parts, "utf-8", "replace"):
        print("\n".join(map(visible, text.split("\n"))), end="")


def _filters(arguments: argparse.Namespace) -> dict[str, str | None]:
    given = vars(arguments)
    return {query: given[argument] for query, argument in FILTERS.items()}


def diff(arguments: argparse.Namespace) -> None:
    """Show how a job changed between two versions or times."""
    with connect(arguments) as service:
        found = service.get(f"/jobs/{in_path(arguments.id)}/diff", **{"from": arguments.begin, "to": arguments.end})
    show(arguments, found, past_tables.changes_table(found), past_tables.between_table(found))
