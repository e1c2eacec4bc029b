"""Routes that replay recovery runs, also under another policy, and compare them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.http import paging, problems
from api.http.dependencies import TheService, check_read_model
from api.http.exports import HEADERS, announced, in_blocks
from api.http.paging import Cursor, Limit
from api.http.routers import api_router
from api.http.run_views import run_view
from api.http.schemas.history import CompareView, ReplayView, WhatIfView
from api.http.schemas.present import Identifier, RunView
from api.http.slots import EXPORTS
from api.http.times import EndTime, UtcTime, check_period
from api.runtime.bootstrap import Service
from domain.errors import InvalidInput, NotFound, Refused
from domain.events import Event
from domain.recovery_policy import Policy
from domain.recovery_run import RecoveryRun
from projections.queries.audit_entry import AuditFilter
from projections.replay import run_file
from projections.replay.replay import BOUNDS, compare, phases, replay, what_if
from projections.replay.results import Change, Replay

MAX_CHANGES = 10_000
"""Changes of a what-if in one answer, of half a kilobyte each."""

READ_AT_ONCE = 500
"""Events of a run per query, so that other requests run in between."""


def _bounded(name: str) -> Any:  # noqa: ANN401 - pydantic's own type for a field
    least, most = BOUNDS[name]
    return Field(default=None, ge=least, le=most, allow_inf_nan=False)


router = api_router("replay", "/recovery-runs", [Depends(EXPORTS)])


class OtherPolicy(BaseModel):
    """The numbers of another policy. Omitted numbers stay as recorded."""

    complete_above_percent: float | None = _bounded("complete_above_percent")
    unreachable_timeout: float | None = _bounded("unreachable_timeout")
    unreachable_grace: float | None = _bounded("unreachable_grace")
    startup_grace: float | None = _bounded("startup_grace")
    confirmation_window: float | None = _bounded("confirmation_window")
    confirmation_probes: int | None = _bounded("confirmation_probes")
    amnesia_share: float | None = _bounded("amnesia_share")
    completion_window: float | None = _bounded("completion_window")
    amnesia_at_least: int | None = _bounded("amnesia_at_least")
    attention_after: float | None = _bounded("attention_after")

    @property
    def numbers(self) -> dict[str, float]:
        """Return the numbers that are given."""
        return self.model_dump(include=set(Policy.__struct_fields__), exclude_none=True)


class WhatIf(OtherPolicy):
    """Another policy, and the run, or the period, of the decisions to replay."""

    run_id: Identifier | None = None
    since: UtcTime | None = Field(default=None, alias="from")
    until: EndTime | None = Field(default=None, alias="to")


class ReplayedPage(OtherPolicy):
    """Another policy, and a page of the run's jobs."""

    limit: Limit = 200
    cursor: Cursor = None


@router.get("/compare", responses=problems.responses(404, 409, 503))
async def compare_runs(a: Identifier, b: Identifier, service: TheService) -> CompareView:
    """Compare two runs: the jobs that they decided by different rules, and the duration of each phase."""
    one, other = [await asyncio.to_thread(replay, await events_of(service, run_id)) for run_id in (a, b)]
    return CompareView(
        a=_shown(service, one.run),
        b=_shown(service, other.run),
        phases_a=phases(one),
        phases_b=phases(other),
        rules_a=_rules(one),
        rules_b=_rules(other),
        jobs=compare(one, other),
    )


@router.get("/what-if", responses=problems.responses(404, 409, 503))
async def what_if_over_runs(service: TheService, query: Annotated[WhatIf, Query()]) -> WhatIfView:
    """Make all decisions of a run, or of a period, again under another policy. Nothing is written.

    Without a number of another policy, the changes are those of the code since then. A question with more than 10,000
    changes is refused: narrow it by `run_id`, `from` or `to`.
    """
    check_period(query.since, query.until)
    await check_read_model(service)
    chosen = (query.run_id,) if query.run_id else ()
    for run_id in chosen:
        await _check_recorded(service, run_id)
    wanted = AuditFilter(type=("RecoveryDecided",), run_id=chosen, since=query.since, until=query.until)
    runs, decisions, changes = set[str](), 0, list[Change]()
    async for decided in service.decisions.matching(wanted):
        changes += await asyncio.to_thread(what_if, decided, query.numbers)
        runs |= {event.correlation_id for event in decided}
        decisions += len(decided)
        if len(changes) > MAX_CHANGES:
            raise InvalidInput(f"more than {MAX_CHANGES} decisions would change: narrow it by run_id, from or to")
    return WhatIfView(policy=query.numbers, runs=len(runs), decisions=decisions, changes=changes)


@router.get("/{run_id}/replay", responses=problems.responses(404, 409, 503))
async def replay_run(run_id: Identifier, service: TheService, query: Annotated[ReplayedPage, Query()]) -> ReplayView:
    """Replay a run: the observations of each job, and every decision made again from its evidence.

    With numbers of another policy, also the decisions that it changes.
    """
    events = await events_of(service, run_id)
    replayed = await asyncio.to_thread(replay, events)
    changes = await asyncio.to_thread(what_if, events, query.numbers) if query.numbers else None
    page = paging.numbered(replayed.jobs, query.limit, query.cursor)
    return ReplayView(
        run=_shown(service, replayed.run),
        decisions=replayed.decisions,
        identical=replayed.identical,
        different=replayed.different,
        what_if=changes,
        items=page.items,
        next_cursor=page.next_cursor,
    )


@router.get(
    "/{run_id}/export",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The run as one file", "content": {"application/x-ndjson": {}}, "headers": HEADERS},
        **problems.responses(404, 409, 503),
    },
)
async def export_run(run_id: Identifier, service: TheService) -> StreamingResponse:
    """Return a run as one file, for `job-recovery replay FILE`, which needs no database and no VMA."""
    end = await service.trail.head()
    events = await events_of(service, run_id, end)

    async def lines() -> AsyncIterator[bytes]:
        for line in run_file.write(events):
            yield line

    headers = {"Content-Disposition": f'attachment; filename="{run_id}.ndjson"', **announced(len(events), end)}
    return StreamingResponse(in_blocks(lines()), media_type="application/x-ndjson", headers=headers)


async def events_of(service: Service, run_id: str, end: int | None = None) -> list[Event]:
    """Return all events of a run, up to a position.

    Raises:
        Refused: it is a dry run, which stores none.
        NotFound: the log has no such run.

    """
    await check_read_model(service)
    await _check_recorded(service, run_id)
    events: list[Event] = []
    after = 0
    while entries := await service.trail.entries(AuditFilter(run_id=(run_id,)), READ_AT_ONCE, after, end=end):
        events += [entry.event() for entry in entries]
        after = entries[-1].position
    return events


async def _check_recorded(service: Service, run_id: str) -> None:
    """Raise an error unless the log has a run."""
    live = service.recovery.live.get(run_id)
    if live is not None and live.dry_run:
        raise Refused(
            f"{run_id} is a dry run, which stores no events: read its decisions at "
            f"/api/v1/recovery-runs/{run_id}/decisions, or start a run without `dry_run`, which can be replayed"
        )
    if await service.queries.run(run_id) is None:
        raise NotFound(f"there is no recovery run {run_id}")


def _shown(service: Service, run: RecoveryRun) -> RunView:
    return run_view(run, service.recovery.live.get(run.id))


def _rules(replayed: Replay) -> dict[str, int]:
    return dict(Counter(job.recorded.rule or "" for job in replayed.jobs if job.recorded))
