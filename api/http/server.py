"""`job-recovery serve`: runs the service's processes and its HTTP server in one task group."""

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
import uvicorn

from adapters.host.lease import Lease
from adapters.host.private_files import prepare
from adapters.host.tokens import TokenFile
from api.http.app import create_app
from api.http.connections import KEEP_ALIVE, BoundedProtocol
from api.http.limits import raise_open_file_limit
from api.http.listening import MAX_WAITING, bind, check_access, is_local
from api.runtime.bootstrap import build
from api.runtime.running import discard_what_is_outdated, run
from api.runtime.settings import Settings
from domain.errors import JobRecoveryError
from domain.ports import Log
from projections.read_model.model_server import START_PATIENCE

GRACE = 2
"""Seconds that requests in progress have to finish after SIGTERM."""

ACCEPTED_AT_ONCE = 16
"""Connections that are accepted in one turn of the event loop."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: a signal ends the whole service."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # uvicorn has one number for the queue and for what is accepted in one turn, which blocks the event loop.
        for listener in sockets or ():
            listener.listen(MAX_WAITING)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, log: Log) -> None:
    """Run the service until SIGTERM or SIGINT.

    Raises:
        DataDirectoryInUse: another process uses the data directory.
        EventLogInUse: another process uses the event log.
        InvalidInput: the address must not be listened on.
        JobRecoveryError: it cannot be listened on now.
        StorageUnavailable: the data directory or a file in it cannot be used.

    """
    raise_open_file_limit()
    lease = Lease(prepare(settings.data_dir, log))
    lease.acquire("starting up")
    try:
        if settings.database_url is None:
            check_access(settings, TokenFile(settings.data_dir))
        else:
            # The tokens are with the log, which is opened later.
            is_local(settings)
        with bind(settings) as listener, _one_error():
            address = settings.address(listener.getsockname()[1])
            asyncio.run(_serve(settings, log, lease, listener, address))
    finally:
        lease.release()


@contextmanager
def _one_error() -> Iterator[None]:
    """Raise the first of the service's own errors out of its exception groups; unexpected exceptions stay grouped."""
    try:
        yield
    except ExceptionGroup as ended:
        ours, faults = ended.split(JobRecoveryError)
        if ours is None or faults is not None:
            raise
        raise _first(ours) from None


def _first(errors: BaseException) -> BaseException:
    return _first(errors.exceptions[0]) if isinstance(errors, BaseExceptionGroup) else errors


async def _serve(settings: Settings, log: Log, lease: Lease, listener: socket.socket, address: str) -> None:
    service = build(settings, log, address=address)
    # What is loaded lives as long as the service: the garbage collector need not look at it.
    gc.freeze()
    lease.describe(f"{service.instance}, {address}")
    config = uvicorn.Config(
        create_app(service),
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        backlog=ACCEPTED_AT_ONCE,
        # Its warnings are about malformed requests: a client could fill the log with them.
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)  # noqa: FBT003 - setattr's own
    loop.add_signal_handler(signal.SIGHUP, partial(log.warning, "sighup_ignored"))
    try:
        # Again: only now are tokens known that are in a database.
        check_access(settings, service.access.tokens)
        patience = START_PATIENCE if await discard_what_is_outdated(service) else 0
        async with asyncio.TaskGroup() as group:
            processes = group.create_task(run(service, patience))
            policy = msgspec.to_builtins(settings.policy)
            log.info("service_started", address=address, data_dir=str(settings.data_dir), policy=policy)
            if service.access.is_open:
                log.warning("api_open_on_loopback_only", why="JOB_RECOVERY_AUTH is none, or no token was ever created")
            elif not service.access.tokens.all():
                log.warning("api_closed", why="all tokens are revoked", remedy="job-recovery token create")
            await server.serve(sockets=[listener])
            processes.cancel()
    finally:
        await service.close()
    log.info("service_stopped")
