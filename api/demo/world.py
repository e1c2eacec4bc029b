"""The demo's world: a job for every way a restart can go, and what becomes of each while nobody watches."""

from collections.abc import Callable

import msgspec

from adapters.simulated_vma import SimulatedVMA

HOUR = 3600.0
SECOND_VMA = "dc2"


Change = Callable[[SimulatedVMA, str], object]
"""What happens to a job, given by its id, while the service is dead."""


class Scenario(msgspec.Struct, frozen=True):
    """One job of the demo.

    `truth` is the job's state on the VMA after the restart: running, completed or failed. `rule` is the row of the
    decision table that should find it out. Without `progress`, no worker has started yet.
    """

    job_id: str
    story: str
    truth: str
    rule: str
    meanwhile: Change = lambda _vma, _job_id: None
    progress: float | None = 20.0
    duration: float = HOUR / 6
    volume_ids: tuple[str, ...] = ("",)
    vma: str | None = None

    @property
    def volumes(self) -> tuple[str, ...]:
        """The job's volumes, named after it."""
        return tuple(f"vol-{self.job_id}{suffix}" for suffix in self.volume_ids)


def _finish(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.finish(job_id)


def _finish_first_disk(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.finish(job_id, f"vol-{job_id}-a")


def _fail(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.fail(job_id, "snapshot was removed")


def _fail_without_a_reason(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.fail(job_id)


def _fail_second_disk(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.fail(job_id, "target volume is full", disk=f"vol-{job_id}-b")


def _remove(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.remove(job_id)


def _forget_for_a_while(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.forget(job_id, reannounce=4.0)


def _refuse_connections(vma: SimulatedVMA, _job_id: str) -> None:
    vma.faults.set("refuse")


def _answer_with_html(vma: SimulatedVMA, job_id: str) -> None:
    for asked_id in (f"migration-vol-vol-{job_id}", job_id):
        vma.faults.set("html", id=asked_id)


TWO_DISKS = ("-a", "-b")
FAILED = "failed", "failed-on-vma"
GONE = "completed", "gone-near-end"
RUNNING = "running", "still-running"

SCENARIOS = (
    Scenario("web-01", "goes on copying", *RUNNING),
    Scenario("db-01", "first of two disks finishes", *RUNNING, _finish_first_disk, volume_ids=TWO_DISKS),
    Scenario("mail-01", "finishes while nobody watches", "completed", "completed-while-away", _finish, 80.0),
    Scenario("app-01", "fails, and says why", *FAILED, _fail),
    Scenario("app-02", "fails, and does not say why", *FAILED, _fail_without_a_reason),
    Scenario("db-02", "one of two disks fails, the other goes on", *FAILED, _fail_second_disk, volume_ids=TWO_DISKS),
    Scenario(
        "file-01",
        "finishes at once after 96 %, and is forgotten",
        "completed",
        "gone-near-end",
        _remove,
        96.0,
        20 * HOUR,
    ),
    Scenario("file-02", "its worker dies at 40 %, and it is forgotten", "failed", "lost", _remove, 40.0),
    Scenario(
        "erp-01",
        "goes on, but its VMA cannot be reached",
        "running",
        "unreachable-recent",
        _refuse_connections,
        vma=SECOND_VMA,
    ),
    Scenario("erp-02", "goes on, but a proxy answers with HTML", "running", "unintelligible", _answer_with_html),
    Scenario("ci-01", "goes on, forgotten by the VMA for a few seconds", *RUNNING, _forget_for_a_while),
    Scenario("ci-02", "registered, its worker has not started yet", "running", "not-started-yet", progress=None),
)
