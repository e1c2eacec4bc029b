"""What runs as long as the service does, and in which order it starts.

Jobs are watched without the read model. So a start waits for it for a limited time only: its server may be away, silent
or slow, and a long log may have to be derived again.
"""

import asyncio

from api.runtime.bootstrap import Service
from domain.errors import LogChanged, StorageUnavailable
from projections.read_model.errors import ReadModelAway, is_on_server
from projections.read_model.model_server import SILENT, START_PATIENCE


async def discard_what_is_outdated(service: Service) -> bool:
    """Empty a read model of another log. Then drop the snapshots, too, which might be of what the log has lost.

    They are dropped as well if the read model does not tell in time: jobs load from their events then. Returns whether
    it did.
    """
    try:
        is_another = await _is_of_another_log(service)
    except ReadModelAway as away:
        service.log.warning("read_model_away", why=str(away))
        await service.event_log.drop_snapshots()
        return False
    if is_another:
        await service.event_log.drop_snapshots()
    return True


async def run(service: Service, patience: float = START_PATIENCE) -> None:
    """Bring the read model up to date, for at most `patience` seconds; then run all processes until cancelled."""
    await _catch_up(service, patience)
    async with asyncio.TaskGroup() as group:
        service.background.attach(group)
        group.create_task(service.projector.run())
        group.create_task(service.supervisor.run())
        group.create_task(service.event_log.keep(service.clock))
        group.create_task(service.access.tokens.keep(service.clock))


async def _is_of_another_log(service: Service) -> bool:
    """Return whether the read model is of another log. A file answers, or fails; a server may do neither."""
    limit = START_PATIENCE if is_on_server(service.model.writer) else None
    try:
        # Safe to cancel: the next call of the projector waits for the only thread that writes.
        async with asyncio.timeout(limit):
            return await service.projector.reset_if_outdated()
    except TimeoutError:
        raise ReadModelAway(SILENT) from None


async def _catch_up(service: Service, patience: float) -> None:
    """Bring the read model up to date. What is not done in time, or fails, is done and told by `Projector.run`."""
    try:
        async with asyncio.timeout(patience):
            position = await service.projector.catch_up()
        service.log.info("projections_caught_up", position=position)
    except LogChanged:
        raise
    except StorageUnavailable as error:
        service.log.warning("read_model_away", why=str(error))
    except TimeoutError:
        service.log.info("read_model_behind", position=service.projector.position, events=service.projector.lag)
