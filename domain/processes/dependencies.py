"""What every process works with."""

import msgspec

from domain.application import JobRecovery
from domain.ports import Clock, Log
from domain.processes.contact import Contact


class Dependencies(msgspec.Struct, frozen=True):
    """The commands on jobs, the questions to the VMAs, the time, and the structured log."""

    app: JobRecovery
    contact: Contact
    clock: Clock
    log: Log
