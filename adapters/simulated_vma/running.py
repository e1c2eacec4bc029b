"""Runs a simulated VMA as a process of its own."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from adapters.listening import unusable
from adapters.simulated_vma.server import SimulatedVMA
from adapters.simulated_vma.world import World
from domain.errors import InvalidInput

MAX_HOST = 100
"""Maximum characters of a host name in a message."""


def run(host: str, port: int, control_port: int, world_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        host: where to listen.
        port: the VMA's port.
        control_port: the port of the control API.
        world_file: a JSON list of jobs, each with the fields of `add_job`.

    Raises:
        InvalidInput: the host is malformed, this user may not listen there, or the file has another form.
        JobRecoveryError: the address is in use, or is not one of this machine now.

    """
    vma = SimulatedVMA(port, host=host, control_port=control_port)
    with _listening(vma):
        if world_file is not None:
            _fill(vma.world, world_file)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        print(f"simulated VMA at {vma.url}, its world at {vma.control_url}", flush=True)  # noqa: T201 - the addresses, for the caller
        stop.wait()


def _fill(world: World, file: Path) -> None:
    try:
        for job in msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]]):
            world.add_job(**job)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"--world: {file} cannot be used: {error}. It is a JSON list of jobs, each with a job_id and volume_ids"
        ) from None


@contextmanager
def _listening(vma: SimulatedVMA) -> Iterator[None]:
    try:
        vma.start()
    except OSError as error:
        raise unusable(_where(vma), error) from None
    except UnicodeError as error:
        raise InvalidInput(f"{_where(vma)}: {error}") from None
    try:
        yield
    finally:
        vma.stop()


def _where(vma: SimulatedVMA) -> str:
    return f"cannot listen on {vma.host[:MAX_HOST]}, ports {vma.port} and {vma.control_port}"
