"""A simulated VMA: a real HTTP server with every hazard of the real one, and a world of jobs behind it.

Used by the tests (in their own process, from any thread), by the demo, and by `job-recovery simulate-vma`.
"""

from adapters.simulated_vma.running import run
from adapters.simulated_vma.server import SimulatedVMA

__all__ = ["SimulatedVMA", "run"]
