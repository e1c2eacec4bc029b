"""The commands `serve` and `simulate-vma`."""

import argparse
import signal
import sys

from api.runtime.output import install
from domain.errors import JobRecoveryError

NOT_NEEDED = ("httpx._main", "pydantic.v1", "rich")
"""Modules that libraries import if they can, and the service does not use: a command line, an earlier version and a
terminal's colours, at a twentieth of the CPU of a start."""


def serve(_: argparse.Namespace) -> None:
    """Run the service."""
    # Before the slow imports: the service must survive a terminal that closes or is not read.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    install()
    leave_out_what_is_not_needed()

    from api.http import server  # noqa: PLC0415
    from api.runtime.logs import configure  # noqa: PLC0415
    from api.runtime.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    log = configure(settings.log_format, settings.log_level)
    try:
        server.serve(settings, log)
    except JobRecoveryError:
        raise
    except Exception as fault:
        # The interpreter would end before its traceback is written.
        log.error("service_failed", exc_info=fault)
        raise SystemExit(1) from None


def leave_out_what_is_not_needed() -> None:
    """Let the later imports of some modules fail, as Python documents it for a module that is None."""
    for name in NOT_NEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # the types of the standard library lack it


def simulate_vma(arguments: argparse.Namespace) -> None:
    """Run a simulated VMA."""
    from adapters.simulated_vma import run  # noqa: PLC0415 - `serve` does not need it

    run(arguments.host, arguments.port, arguments.control_port, arguments.world)
