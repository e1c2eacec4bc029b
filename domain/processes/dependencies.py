"""The dependencies of every process."""

import msgspec

from domain.application import JobRecovery
from domain.ports import Clock, Log
from domain.processes.contact import Contact


class Dependencies(msgspec.Struct, frozen=True):
    """The commands on jobs, the requests to the VMAs, the clock, and the logger."""

    app: JobRecovery
    contact: Contact
    clock: Clock
    log: Log
