"""The Grafana dashboard asks for metrics and labels that the service has."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulated_vma import SimulatedVMA
from tests.support.http_api import eventually, registered

DASHBOARD = Path(__file__).parents[4] / "docs" / "grafana-dashboard.json"
OURS = re.compile(r"\bjob_recovery_\w+")
SELECTED = re.compile(r"(\w+)=~?\"")
GROUPED = re.compile(r"by \(([^)]*)\)")
SHOWN = re.compile(r"{{(\w+)}}")
ADDED_BY_PROMETHEUS = {"instance"}


def queries() -> list[tuple[str, str]]:
    """Return each query of the dashboard, and the legend of its lines."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [(target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]]


@pytest.fixture
async def labels(api: httpx.AsyncClient, vma: SimulatedVMA) -> dict[str, set[str]]:
    """Return the labels of each metric of a service that has polled, and decided about, a job."""
    vma.world.add_job("job-1", ["disk-1"], duration=36_000)
    await registered(api)
    await eventually(api, "/polling/job-1", polled=True)
    await api.post("/recovery-runs", json={})
    await eventually(api, "/recovery/status", decisions_by_rule={"still-running": 1})
    scraped = (await api.get("http://localhost/metrics")).text
    samples = [sample for family in text_string_to_metric_families(scraped) for sample in family.samples]
    return {sample.name: set(sample.labels) for sample in samples if not sample.name.endswith("_created")}


async def test_every_metric_and_label_of_the_dashboard_exists(labels: dict[str, set[str]]) -> None:
    assert len(queries()) >= 10
    for query, legend in queries():
        (metric,) = set(OURS.findall(query))
        grouped = {name.strip() for names in GROUPED.findall(query) for name in names.split(",")}
        used = grouped | set(SELECTED.findall(query)) | set(SHOWN.findall(legend))

        assert metric in labels, query
        assert used - ADDED_BY_PROMETHEUS <= labels[metric], query


async def test_the_dashboard_shows_every_metric(labels: dict[str, set[str]]) -> None:
    shown = {name for query, _ in queries() for name in OURS.findall(query)}

    def family(name: str) -> str:
        return re.sub(r"_(bucket|sum|count)$", "", name)

    assert {family(name) for name in labels if OURS.match(name)} == {family(name) for name in shown}
