"""A simulated VMA: a real HTTP server with every hazard of the real one, and a world of jobs behind it.

The tests (in their own process, from any thread), the demo, and `job-recovery simulate-vma` use it.
"""

from adapters.simulated_vma.held_port import HeldPort
from adapters.simulated_vma.running import run
from adapters.simulated_vma.server import SimulatedVMA

__all__ = ["HeldPort", "SimulatedVMA", "run"]
