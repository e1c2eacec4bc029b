"""An instance whose clock is an hour ahead of that of the others."""

import sys

from tests.support.process import Process, Started
from tests.support.service import IMPORTING, ServiceProcess

SERVE = """
import sys
from datetime import timedelta
from adapters.host.clock import SystemClock
from api.cli.main import main

true_time = SystemClock.now
SystemClock.now = lambda clock: true_time(clock) + timedelta(hours=1)
sys.exit(main(["serve"]))
"""
"""Nothing else in the service reads the machine's clock. A library that sets off all clocks makes it too slow."""


class InstanceAhead(ServiceProcess):
    """One `job-recovery serve` whose clock is an hour ahead."""

    patience = IMPORTING

    def launch(self) -> Process:
        """Start a process with another clock."""
        with self.log_file.open("ab") as log:
            return Started([sys.executable, "-c", SERVE], self.environment, log.fileno())
