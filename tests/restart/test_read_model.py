"""The read model can be deleted, because it is derived from the log."""

from adapters.event_log.sqlite import sqlite3
from adapters.simulated_vma import SimulatedVMA
from projections.read_model import schema
from projections.read_model.model_file import open_read_model
from tests.restart.conftest import StartService
from tests.support.service import PATIENT, ServiceProcess, wait_until

TABLES = ("jobs", "vm_contexts", "recovery_runs", "audit_trail")


def dump(service: ServiceProcess) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in order."""
    engine = open_read_model(service.data_dir / "read_model.sqlite", sqlite3)
    with engine.connect() as connection:
        rows = {}
        for name in TABLES:
            query = f"SELECT * FROM {schema.PREFIX}{name} ORDER BY 1"  # noqa: S608
            rows[name] = [tuple(row) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return rows


def test_deleting_the_read_model_and_starting_gives_the_same_tables(
    vma: SimulatedVMA, start_service: StartService
) -> None:
    service = start_service()
    for n, percent in enumerate((10.0, 95.0, 40.0)):
        vma.world.add_job(f"job-{n}", [f"disk-{n}"], duration=3600, progress=percent)
        vma.world.set_status(f"job-{n}", "in_progress", percent=percent)
        service.register(f"job-{n}", f"disk-{n}")
        service.wait_for(f"job-{n}", vma_status="running")
    service.kill()
    vma.world.remove("job-1")
    vma.world.finish("job-2")
    service.start()
    service.wait_for("job-1", rule="gone-near-end")
    wait_until(lambda: service.logged("recovery_completed"))
    service.terminate()
    before = dump(service)
    for file in service.data_dir.glob("read_model.sqlite*"):
        file.unlink()
    upto = len(before["audit_trail"])

    service.start()
    wait_until(lambda: service.logged("recovery_completed"))
    service.terminate()

    after = dump(service)
    assert after["audit_trail"][:upto] == before["audit_trail"]
    ended = {row[0]: row for row in before["jobs"] if row[2] in {"completed", "failed"}}
    assert {row[0]: row for row in after["jobs"] if row[0] in ended} == ended


def test_a_jobs_history_explains_every_state_it_had(vma: SimulatedVMA, start_service: StartService) -> None:
    service = start_service(**PATIENT)
    vma.world.add_job("job-1", ["disk-1"], duration=3600, progress=40)
    service.register("job-1", "disk-1", vm_context_id="ctx-1")
    service.wait_for("job-1", vma_status="running")
    service.kill()
    vma.world.remove("job-1")
    service.start()
    service.wait_for("job-1", state="failed", rule="lost")

    events = service.events("job-1")

    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["JobRegistered", "VMAStatusObserved"]
    started = next(e for e in events if e["type"] == "RecoveryStarted")
    decided = events[-1]
    run_id = started["data"]["run_id"]
    assert (started["data"]["cause"], decided["type"]) == ("restart", "RecoveryDecided")
    assert {e["correlation_id"] for e in events if e["version"] >= started["version"]} == {run_id}
    assert decided["causation_id"] == f"job-1#{decided['version'] - 1}"
    evidence = decided["data"]["evidence"]
    assert evidence["state_before"] == "replicating"
    assert [a["asked_id"] for a in evidence["observation"]["answers"]][:2] == ["migration-vol-disk-1", "job-1"]
    assert decided["data"]["policy"]["complete_above_percent"] == 90.0
    run = service.get(f"/api/v1/recovery-runs/{run_id}").json()
    assert (run["cause"], run["policy_hash"]) == ("restart", decided["data"]["policy_hash"])
