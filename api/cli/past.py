"""The commands `audit` and `diff`."""

import argparse
import codecs
import sys
from collections.abc import Iterator

from adapters.plain_text import visible
from api.cli import past_tables
from api.cli.arguments import AUDIT_FILTERS, AUDIT_ROWS
from api.cli.client import IncompleteExport, connect, in_path
from api.cli.output import refuse_beside, show

PERIOD_AND_ORDER = ("from", "to", "order")


def audit(arguments: argparse.Namespace) -> None:
    """Search the events of all jobs."""
    wanted = {name: vars(arguments)[name] for name in (*AUDIT_FILTERS.values(), *PERIOD_AND_ORDER)}
    filters = AUDIT_FILTERS | {name: name for name in PERIOD_AND_ORDER}
    if arguments.chain is not None:
        refuse_beside("--chain", arguments, filters | {"limit": "limit", "export": "export"})
    if arguments.export:
        refuse_beside("--export", arguments, {"limit": "limit", "json": "json"})
    with connect(arguments) as service:
        if arguments.export:
            heading = 1 if arguments.export == "csv" else 0
            _print_export(service.export("/audit/export", heading, format=arguments.export, **wanted))
            return
        if arguments.chain is not None:
            chain = service.get(f"/audit/{arguments.chain}/chain")
            show(arguments, chain, past_tables.chain_table(chain))
            return
        found = service.items("/audit", arguments.limit or AUDIT_ROWS, **wanted)
    show(arguments, found, past_tables.audit_table(found["items"]))


def _print_export(parts: Iterator[bytes]) -> None:
    """Write an export as it arrives; to a terminal with its control characters as letters.

    Raises:
        IncompleteExport: only a part has arrived, and was written.

    """
    try:
        _write(parts)
    except IncompleteExport as cut:
        raise IncompleteExport(f"{cut}; standard output has only these. Export again") from None


def _write(parts: Iterator[bytes]) -> None:
    if not sys.stdout.isatty():
        sys.stdout.buffer.writelines(parts)
        return
    for text in codecs.iterdecode(parts, "utf-8", "replace"):
        print("\n".join(map(visible, text.split("\n"))), end="")


def diff(arguments: argparse.Namespace) -> None:
    """Show how a job changed between two versions, positions or times."""
    with connect(arguments) as service:
        found = service.get(f"/jobs/{in_path(arguments.job)}/diff", **{"from": arguments.begin, "to": arguments.end})
    to_come = [found[end] for end in ("from_as_of", "to_as_of") if found[end]["is_future"]]
    remark = past_tables.as_of_text(to_come[0] if to_come else None)
    show(arguments, found, past_tables.changes_table(found), past_tables.between_table(found), *remark)
