"""The view of a recovery run: the command line makes it, too, of a run's file and without a service."""

import msgspec

from api.http.same_fields import view_of
from api.http.schemas.present import RunView
from domain.processes.recovery import RunProgress
from domain.recovery_run import FINISHED, RecoveryRun


def run_view(run: RecoveryRun, live: RunProgress | None = None) -> RunView:
    """Return the view of a recovery run, with its progress while it runs."""
    finished, dry_run = run.status == FINISHED, live is not None and live.dry_run
    totals = live.totals() if live and not finished else run.totals
    shown = msgspec.structs.asdict(totals)
    if not finished or dry_run:
        shown |= {"polled_again": None, "left_replicating": None}
    if not finished and live is None:
        shown["settled_elsewhere"] = None
    return view_of(
        RunView,
        run,
        run_id=run.id,
        dry_run=dry_run,
        policy=msgspec.structs.asdict(run.policy) if run.policy else None,
        settled=sum(totals.outcomes.values()) + totals.settled_elsewhere,
        **shown,
    )
