"""What a client is told about itself, the settings, the totals and a job's speed."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.host.tokens import TokenFile
from adapters.simulated_vma import SimulatedVMA
from adapters.tokens import Scope
from api.runtime.settings import Settings
from tests.support.builders import NOON
from tests.support.http_api import eventually, registered, serving


async def test_without_tokens_everybody_on_this_machine_may_do_everything(api: httpx.AsyncClient) -> None:
    session = (await api.get("/session")).json()

    assert session == {"name": "local", "scope": "admin", "tokens_required": False}


@pytest.mark.parametrize("scope", Scope)
async def test_a_token_is_told_its_name_and_its_scope(vma: SimulatedVMA, tmp_path: Path, scope: Scope) -> None:
    secret = TokenFile(tmp_path / "data").create("mara", scope, NOON)
    async with serving(vma, tmp_path) as api:
        session = await api.get("/session", headers={"Authorization": f"Bearer {secret}"})

        assert session.json() == {"name": "mara", "scope": scope.value, "tokens_required": True}
        assert (await api.get("/session")).status_code == 401


async def test_the_settings_are_listed_with_their_defaults_and_without_secrets(
    vma: SimulatedVMA, tmp_path: Path
) -> None:
    secret_url = "http://mara:hunter22@dc2.example:9081"
    async with serving(vma, tmp_path, vmas={"dc2": secret_url}, reconcile_for=60) as api:
        answer = await api.get("/settings")

    settings = {one.pop("name"): one for one in answer.json()["items"]}
    assert settings.keys() == {f"JOB_RECOVERY_{name.upper()}" for name in Settings.model_fields}
    assert settings["JOB_RECOVERY_RECONCILE_FOR"] == {"value": 60.0, "default": 86400.0, "is_default": False}
    assert settings["JOB_RECOVERY_RATE_LIMIT"] == {"value": 200.0, "default": 200.0, "is_default": True}
    assert settings["JOB_RECOVERY_VMAS"]["is_default"] is False
    assert settings["JOB_RECOVERY_VMAS"]["value"]["dc2"].endswith("@dc2.example:9081")
    assert "hunter22" not in answer.text
    assert "mara" not in answer.text


async def test_health_names_the_version(api: httpx.AsyncClient) -> None:
    assert (await api.get("http://localhost/health")).json()["version"] == version("job-recovery")


async def restarted(api: httpx.AsyncClient, runs: int) -> Any:
    """Wait for a number of finished runs; return the last restart, which is read before the number of runs."""
    await eventually(api, "/recovery/status", runs_by_status={"finished": runs})
    return (await api.get("/recovery/status")).json()["last_restart"]


async def test_the_last_restart_is_told_also_after_other_runs(vma: SimulatedVMA, tmp_path: Path) -> None:
    vma.world.add_job("job-1", ["disk-1"], duration=36_000)
    async with serving(vma, tmp_path) as api:
        first = await restarted(api, runs=1)
        await registered(api)
    async with serving(vma, tmp_path) as api:
        restart = await restarted(api, runs=2)
        await api.post("/recovery-runs", json={})
        status = await eventually(api, "/recovery/status", runs_by_status={"finished": 3})

    assert (first["cause"], first["jobs"]) == ("restart", 0)
    assert status["last_restart"] == restart
    assert (restart["cause"], restart["jobs"], restart["settled"]) == ("restart", 1, 1)
    assert status["last_run"]["cause"] == "operator"


async def test_jobs_that_need_attention_are_counted(vma: SimulatedVMA, tmp_path: Path) -> None:
    vma.faults.set("refuse")
    async with serving(vma, tmp_path, attention_after=0) as api:
        await registered(api)
        await registered(api, job_id="job-2", vm_context_id="ctx-2", volume_ids=["disk-2"])

        status = await eventually(api, "/recovery/status", jobs_needing_attention=2)

    assert sum(status["jobs_by_state"].values()) == 2


async def test_a_polled_job_has_its_speed_and_an_estimate_of_its_end(api: httpx.AsyncClient, vma: SimulatedVMA) -> None:
    vma.world.add_job("job-1", ["disk-1"], duration=3600)
    await registered(api)
    live: dict[str, Any] = {}
    # The first estimates are from two polls a moment apart, so that a pause of the machine shifts them far.
    async with asyncio.timeout(30):
        while not 0 < (live.get("estimated_seconds_left") or 0) < 36_000:
            live = (await api.get("/jobs/job-1")).json()["live"] or {}

    assert live["bytes_per_second"] > 0
