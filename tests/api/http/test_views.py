"""A job's view has live data only while it is true: the processes may be ahead of the state that is shown."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from api.http.run_views import run_view
from api.http.schemas.present import JobView, RunView
from api.http.views import answer, present_job
from api.runtime.bootstrap import Service, build
from api.runtime.settings import Settings
from domain.events import Cause
from domain.recovery_policy import Outcome
from domain.recovery_run import FINISHED, RecoveryRun, RunTotals
from domain.replication_job import ReplicationJob
from domain.vma_status import VMAStatus
from tests.support.builders import NOON
from tests.support.harness import REQUEST, RUNNING, RecordingLog, ScriptedVMA, asked
from tests.support.logs import settings_of


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    where: dict[str, Any] = {"data_dir": tmp_path, **settings_of(tmp_path)}
    built = build(Settings(**where, vma_url="http://default"), RecordingLog(), vma=ScriptedVMA())
    yield built
    await built.close()


async def recovered(service: Service, status: VMAStatus) -> ReplicationJob:
    """Return the job after a recovery in which its VMA answered like this."""
    assert isinstance(service.vma, ScriptedVMA)
    service.vma.says["job-1"] = RUNNING if status is VMAStatus.RUNNING else status
    run = f"run-{status.value}"
    await service.app.begin_recovery("job-1", run, Cause.RESTART, "test")
    job = await service.app.job("job-1")
    seen = await service.contact.ask(job)
    await service.app.recover("job-1", run, seen, service.contact.circumstances(job), lambda _: 60.0)
    return deepcopy(await service.app.job("job-1"))


async def test_only_a_polled_job_is_live_and_only_one_that_waits_by_its_rule_is_retried(service: Service) -> None:
    await service.app.register(asked(), REQUEST)
    polled = await recovered(service, VMAStatus.RUNNING)
    assert (present_job(service, polled).live is not None, present_job(service, polled).retry_in) == (True, None)

    waits = await recovered(service, VMAStatus.UNINTELLIGIBLE)
    waits_otherwise = await recovered(service, VMAStatus.UNREACHABLE)
    shown = [present_job(service, job) for job in (polled, waits, waits_otherwise)]
    assert [(view.live, view.retry_in is not None) for view in shown] == [(None, False), (None, False), (None, True)]

    await service.app.operator_decide("job-1", Outcome.FAIL, "mara", "gone", REQUEST)
    ended = present_job(service, await service.app.job("job-1"))
    assert (ended.live, ended.retry_in) == (None, None)


@pytest.mark.parametrize("status", [VMAStatus.RUNNING, VMAStatus.COMPLETED, VMAStatus.FAILED, VMAStatus.UNINTELLIGIBLE])
async def test_a_view_is_sent_as_its_schema_describes_it(service: Service, status: VMAStatus) -> None:
    """Views are not validated when they are sent."""
    await service.app.register(asked(), REQUEST)
    view = present_job(service, await recovered(service, status))

    sent = bytes(answer(view).body)

    assert TypeAdapter(JobView).validate_json(sent, strict=True) == view


def test_a_run_is_sent_as_its_schema_describes_it() -> None:
    totals = RunTotals(outcomes={"resume": 2, "retry": 1}, resumed=2, settled_elsewhere=4)
    view = run_view(
        RecoveryRun(id="run-1", status=FINISHED, jobs=7, started_at=NOON, cause=Cause.RESTART, totals=totals)
    )

    sent = bytes(answer(view).body)

    assert TypeAdapter(RunView).validate_json(sent, strict=True) == view


def test_a_run_has_settled_the_jobs_that_it_decided_and_those_that_had_ended_before() -> None:
    totals = RunTotals(outcomes={"resume": 2, "retry": 1}, resumed=2, settled_elsewhere=4)

    shown = run_view(RecoveryRun(id="run-1", status=FINISHED, jobs=7, started_at=NOON, totals=totals))

    assert (shown.settled, shown.settled_elsewhere) == (7, 4)
