"""The HTTP calls that replay recovery runs: as they were, under another policy, and side by side."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.params import Depends as Dependency
from fastapi.responses import StreamingResponse

from api.http import paging, problems
from api.http.dependencies import TheService
from api.http.exports import in_blocks
from api.http.paging import Cursor, Limit
from api.http.schemas.history import (
    ChangeView,
    CompareView,
    JobReplayView,
    PhasesView,
    ReplayView,
    RuleChange,
    WhatIfView,
)
from api.http.schemas.present import MOST, Identifier
from api.http.slots import EXPORTS
from api.http.times import Moment
from api.http.views import run_view
from api.runtime.bootstrap import Service
from domain.errors import InvalidInput, NotFound
from domain.events import Event
from domain.recovery_policy import Policy
from projections.queries.audit_trail import AuditFilter
from projections.replay import run_file
from projections.replay.replay import Replay, compare, phases, replay, what_if

READ_AT_ONCE = 500
"""Events of a run that are read before other requests have their turn."""

Seconds = Annotated[float | None, Query(ge=0, allow_inf_nan=False)]
Percent = Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]

router = APIRouter(prefix="/recovery-runs", tags=["replay"], dependencies=[Depends(EXPORTS)])


def other_policy(  # noqa: PLR0913 - every number that a policy has
    complete_above_percent: Percent = None,
    unreachable_timeout: Seconds = None,
    unreachable_grace: Seconds = None,
    startup_grace: Seconds = None,
    confirmation_window: Seconds = None,
    confirmation_probes: Annotated[int | None, Query(ge=1, le=1000)] = None,
    amnesia_share: Share = None,
    completion_window: Seconds = None,
    amnesia_at_least: Annotated[int | None, Query(ge=1, le=MOST)] = None,
    attention_after: Seconds = None,
) -> dict[str, float]:
    """Read the numbers of another policy; those that are not named stay as they were."""
    asked = {
        "complete_above_percent": complete_above_percent,
        "unreachable_timeout": unreachable_timeout,
        "unreachable_grace": unreachable_grace,
        "startup_grace": startup_grace,
        "confirmation_window": confirmation_window,
        "confirmation_probes": confirmation_probes,
        "completion_window": completion_window,
        "amnesia_share": amnesia_share,
        "amnesia_at_least": amnesia_at_least,
        "attention_after": attention_after,
    }
    return {name: value for name, value in asked.items() if value is not None}


def named_only(*beside_the_policy: str) -> Dependency:
    """Refuse a name that there is not: a number that is misspelt would change nothing, and look like an answer."""
    known = (*Policy.__struct_fields__, *beside_the_policy)

    def check(request: Request) -> None:
        unknown = sorted(set(request.query_params) - set(known))
        if unknown:
            raise InvalidInput(f"query: there is no {unknown[0][:80]!r}; there are: {', '.join(known)}")

    checked: Dependency = Depends(check)
    return checked


OtherPolicy = Annotated[dict[str, float], Depends(other_policy)]


@router.get("/compare", responses=problems.responses(404, 503))
async def compare_runs(a: Identifier, b: Identifier, service: TheService) -> CompareView:
    """Show two runs side by side: which jobs they decided by other rules, and how long each phase took."""
    one, other = [await asyncio.to_thread(replay, await events_of(service, run_id)) for run_id in (a, b)]
    return CompareView(
        a=run_view(one.run, None),
        b=run_view(other.run, None),
        phases_a=PhasesView(**phases(one)),
        phases_b=PhasesView(**phases(other)),
        rules_a=_rules(one),
        rules_b=_rules(other),
        jobs=[RuleChange(**change) for change in compare(one, other)],
    )


@router.get("/what-if", responses=problems.responses(503), dependencies=[named_only("from", "to")])
async def what_if_over_runs(
    service: TheService,
    policy: OtherPolicy,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> WhatIfView:
    """Decide everything of a period again under another policy. Nothing is written.

    Without a number of another policy, the changes are those that the code made since.
    """
    wanted = AuditFilter(type="RecoveryDecided", since=since, until=until)
    decided = [entry.event() async for entry in service.trail.export(wanted)]
    changes = await asyncio.to_thread(what_if, decided, policy)
    return WhatIfView(
        policy=policy,
        runs=len({event.correlation_id for event in decided}),
        decisions=len(decided),
        changes=[ChangeView.model_validate(change) for change in changes],
    )


@router.get("/{run_id}/replay", responses=problems.responses(404, 503), dependencies=[named_only("limit", "cursor")])
async def replay_run(
    run_id: Identifier, service: TheService, policy: OtherPolicy, limit: Limit = 200, cursor: Cursor = None
) -> ReplayView:
    """Replay a run: what was seen of each job, when, and every decision made again from its evidence.

    With numbers of another policy, also what it would have decided otherwise.
    """
    events = await events_of(service, run_id)
    done = await asyncio.to_thread(replay, events)
    otherwise = await asyncio.to_thread(what_if, events, policy) if policy else None
    after = paging.position_in(cursor) or 0
    page = paging.page(
        list(enumerate(done.jobs, start=1))[after : after + limit + 1],
        limit,
        lambda numbered: numbered[0],
        lambda numbered: JobReplayView.model_validate(numbered[1]),
    )
    return ReplayView(
        run=run_view(done.run, None),
        decisions=done.decisions,
        identical=done.identical,
        different=[ChangeView.model_validate(change) for change in done.different],
        what_if=None if otherwise is None else [ChangeView.model_validate(change) for change in otherwise],
        items=page.items,
        next_cursor=page.next_cursor,
    )


@router.get(
    "/{run_id}/export",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The run as one file", "content": {"application/x-ndjson": {}}},
        **problems.responses(404, 503),
    },
)
async def export_run(run_id: Identifier, service: TheService) -> StreamingResponse:
    """Return a run as one file, which `job-recovery replay FILE` replays without a database and without a VMA."""
    events = await events_of(service, run_id)

    async def lines() -> AsyncIterator[bytes]:
        for line in run_file.write(events):
            yield line

    headers = {"Content-Disposition": f'attachment; filename="{run_id}.ndjson"'}
    return StreamingResponse(in_blocks(lines()), media_type="application/x-ndjson", headers=headers)


async def events_of(service: Service, run_id: str) -> list[Event]:
    """Return all events of a run.

    Raises:
        NotFound: there is no such run in the log.

    """
    events: list[Event] = []
    after = 0
    while entries := await service.trail.of_run(run_id, READ_AT_ONCE, after):
        events += [entry.event() for entry in entries]
        after = entries[-1].position
    if not events:
        raise NotFound(f"there is no recovery run {run_id}")
    return events


def _rules(done: Replay) -> dict[str, int]:
    return dict(Counter(job.recorded.rule or "" for job in done.jobs if job.recorded))
