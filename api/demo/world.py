"""The demo's jobs: one for each case of a restart, and what happens to it during the outage."""

from collections.abc import Callable

import msgspec

from adapters.simulated_vma import SimulatedVMA

HOUR = 3600.0
SECOND_VMA = "dc2"

Change = Callable[[SimulatedVMA, str], object]
"""What happens to a job while the service is down."""


class Scenario(msgspec.Struct, frozen=True):
    """One job of the demo.

    `truth` is the job's state on the VMA after the restart: running, completed or failed. `rule` is the row of the
    decision table that should decide it. Without `progress`, no worker has started yet.
    """

    job_id: str
    story: str
    truth: str
    rule: str
    meanwhile: Change = lambda _vma, _job_id: None
    progress: float | None = 20.0
    duration: float = HOUR / 6
    disks: str = "a"
    vma: str | None = None

    @property
    def volumes(self) -> tuple[str, ...]:
        """The job's volumes, named after it."""
        return tuple(f"vol-{self.job_id}-{disk}" for disk in self.disks)


def _remove(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.remove(job_id)


def _answer_with_html(vma: SimulatedVMA, job_id: str) -> None:
    for asked_id in (f"migration-vol-vol-{job_id}-a", job_id):
        vma.faults.set("html", id=asked_id)


AWAY = "completed", "completed-while-away"
UNREACHABLE = "running", "unreachable-recent"
FAILED = "failed", "failed-on-vma"
GONE = "completed", "gone-near-end"
RUNNING = "running", "still-running"

SCENARIOS = (
    Scenario("web-01", "goes on copying", *RUNNING),
    # With two that go on, three that are unknown at once would be more than half: a VMA that has forgotten its jobs.
    Scenario("web-02", "goes on copying", *RUNNING),
    Scenario(
        "db-01",
        "first of two disks finishes",
        *RUNNING,
        lambda vma, job: vma.world.finish(job, f"vol-{job}-a"),
        disks="ab",
    ),
    Scenario("mail-01", "finishes during the outage", *AWAY, lambda vma, job: vma.world.finish(job), 80.0),
    Scenario("app-01", "fails with an error", *FAILED, lambda vma, job: vma.world.fail(job, "snapshot was removed")),
    Scenario("app-02", "fails without an error", *FAILED, lambda vma, job: vma.world.fail(job)),
    Scenario(
        "db-02",
        "one of two disks fails, the other goes on",
        *FAILED,
        lambda vma, job: vma.world.fail(job, "target volume is full", disk=f"vol-{job}-b"),
        disks="ab",
    ),
    Scenario("file-01", "finishes after 96 %, and the VMA forgets it", *GONE, _remove, 96.0, 20 * HOUR),
    Scenario("file-02", "its worker dies at 40 %, and the VMA forgets it", "failed", "lost", _remove, 40.0),
    Scenario("erp-01", "its VMA is unreachable", *UNREACHABLE, lambda vma, _: vma.faults.set("refuse"), vma=SECOND_VMA),
    Scenario("erp-02", "goes on, but a proxy answers with HTML", "running", "unintelligible", _answer_with_html),
    Scenario("ci-01", "goes on, is unknown for 4 s", *RUNNING, lambda vma, job: vma.world.forget(job, reannounce=4.0)),
    Scenario("ci-02", "registered, its worker has not started yet", "running", "not-started-yet", progress=None),
)
