"""The demo's world: a job for every way a restart can go, and what becomes of each while nobody watches."""

from collections.abc import Callable

import msgspec

from adapters.simulated_vma import SimulatedVMA

HOUR = 3600.0
SECOND_VMA = "dc2"


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One job of the demo.

    `truth` is what is really so after the restart: running, completed or failed. `rule` is the row of the decision
    table that should find it out. `meanwhile` changes the world while the service is dead.
    """

    job_id: str
    story: str
    truth: str
    rule: str
    volume_ids: tuple[str, ...] = ("",)
    vma: str | None = None
    world: dict[str, object] | None = msgspec.field(default_factory=dict)
    meanwhile: Callable[[SimulatedVMA, str], object] = lambda _vma, _job_id: None

    @property
    def volumes(self) -> tuple[str, ...]:
        """The job's volumes, named after it."""
        return tuple(f"vol-{self.job_id}{suffix}" for suffix in self.volume_ids)


def _finish_first_disk(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.finish(job_id, f"vol-{job_id}-a")


def _fail_second_disk(vma: SimulatedVMA, job_id: str) -> None:
    vma.world.fail(job_id, "target volume is full", disk=f"vol-{job_id}-b")


def _speak_nonsense(vma: SimulatedVMA, job_id: str) -> None:
    for asked_id in (f"migration-vol-vol-{job_id}", job_id):
        vma.faults.set("html", id=asked_id)


def _claim_completion(vma: SimulatedVMA, job_id: str) -> None:
    """Say `completed` after the first of two disks, as a worker with a shared id does, and go on soon after."""
    vma.world.set_status(job_id, "completed", percent=100.0)


SCENARIOS = (
    Scenario(job_id="web-01", story="goes on copying", truth="running", rule="still-running"),
    Scenario(
        job_id="db-01",
        story="first of two disks finishes",
        truth="running",
        rule="still-running",
        volume_ids=("-a", "-b"),
        meanwhile=_finish_first_disk,
    ),
    Scenario(
        job_id="mail-01",
        story="finishes while nobody watches",
        truth="completed",
        rule="completed-while-away",
        world={"progress": 80.0},
        meanwhile=lambda vma, job_id: vma.world.finish(job_id),
    ),
    Scenario(
        job_id="app-01",
        story="fails, and says why",
        truth="failed",
        rule="failed-on-vma",
        meanwhile=lambda vma, job_id: vma.world.fail(job_id, "snapshot was removed"),
    ),
    Scenario(
        job_id="app-02",
        story="fails, and does not say why",
        truth="failed",
        rule="failed-on-vma",
        meanwhile=lambda vma, job_id: vma.world.fail(job_id),
    ),
    Scenario(
        job_id="db-02",
        story="one of two disks fails, the other streams on",
        truth="failed",
        rule="failed-on-vma",
        volume_ids=("-a", "-b"),
        meanwhile=_fail_second_disk,
    ),
    Scenario(
        job_id="file-01",
        story="finishes at once after 96 %, and is forgotten",
        truth="completed",
        rule="gone-near-end",
        world={"progress": 96.0, "duration": 20 * HOUR},
        meanwhile=lambda vma, job_id: vma.world.remove(job_id),
    ),
    Scenario(
        job_id="file-02",
        story="its worker dies at 40 %, and it is forgotten",
        truth="failed",
        rule="lost",
        world={"progress": 40.0},
        meanwhile=lambda vma, job_id: vma.world.remove(job_id),
    ),
    Scenario(
        job_id="erp-01",
        story="goes on, but its VMA cannot be reached",
        truth="running",
        rule="unreachable-recent",
        vma=SECOND_VMA,
        meanwhile=lambda vma, _job_id: vma.faults.set("refuse"),
    ),
    Scenario(
        job_id="erp-02",
        story="goes on, but a proxy answers with HTML",
        truth="running",
        rule="unintelligible",
        meanwhile=_speak_nonsense,
    ),
    Scenario(
        job_id="ci-01",
        story="goes on, forgotten by the VMA for a few seconds",
        truth="running",
        rule="still-running",
        meanwhile=lambda vma, job_id: vma.world.forget(job_id, reannounce=5.0),
    ),
    Scenario(
        job_id="ci-02",
        story="registered, its worker has not started yet",
        truth="running",
        rule="not-started-yet",
        world=None,
    ),
)
