"""Confirmation: how long one same silence has held, so that nothing is inferred from a single answer."""

from domain.ports import Clock
from domain.recovery_policy import Policy, Silence
from domain.vma_status import Observation, VMAStatus

MARGIN = 0.02
"""Seconds added to each wait, so that the last probe never falls just short of the window."""


class Confirmation:
    """Follows the answers about one job; any change of status starts the count again."""

    def __init__(self, clock: Clock) -> None:
        """Start with nothing heard."""
        self._clock = clock
        self._status: tuple[VMAStatus, bool] | None = None
        self._since = 0.0
        self._probes = 0

    def heard(self, observation: Observation) -> Silence:
        """Count an answer in; return for how long the same one has held."""
        now = self._clock.monotonic()
        status = (observation.status, observation.doubtful)
        if status != self._status:
            self._status, self._since, self._probes = status, now, 0
        self._probes += 1
        return Silence(status=observation.status, held_for=now - self._since, probes=self._probes)


def spacing(policy: Policy) -> float:
    """Seconds between two probes, so that the last of them falls just after the end of the window."""
    return policy.confirmation_window / max(1, policy.confirmation_probes - 1) + MARGIN
