"""The composition root. Tests call it with fakes."""

import os
import platform
import random
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version

import msgspec

from adapters.event_log.database_log import DatabaseEventLog
from adapters.event_log.sqlite import weakness
from adapters.host.clock import SystemClock
from adapters.host.private_files import prepare
from adapters.tokens import Tokens
from adapters.vma.circuit import Circuit
from adapters.vma.client import HttpVMA
from api.runtime.access import Access, Buckets, is_loopback
from api.runtime.background import Background
from api.runtime.event_logs import open_event_log
from api.runtime.metrics import Metrics
from api.runtime.peers import Peers
from api.runtime.read_models import open_read_model
from api.runtime.settings import Settings
from api.runtime.telemetry import Traces
from api.runtime.token_stores import open_tokens
from domain.application import JobRecovery
from domain.errors import JobRecoveryError
from domain.events import Cause, Event, RecoveryRunStarted
from domain.ownership import Ownership
from domain.ports import VMA, Clock, Instance, Log
from domain.processes.awake import AwakeTime
from domain.processes.contact import Contact
from domain.processes.dependencies import Dependencies
from domain.processes.health import HealthMonitor
from domain.processes.polling import Poller
from domain.processes.reconciliation import Reconciliation
from domain.processes.recovery import Recovery
from domain.processes.recovery_requests import RecoveryRequests
from domain.processes.registration import Registrar
from domain.processes.reports import Reports
from domain.processes.retry import Backoff, RetryScheduler
from domain.processes.supervisor import Supervisor
from domain.run_book import RunBook
from domain.silences import Silences
from projections.queries.audit_trail import AuditTrail
from projections.queries.present import Queries
from projections.queries.recorded_decisions import RecordedDecisions
from projections.read_model.errors import ReadModelAway
from projections.read_model.model_server import ReadModel
from projections.read_model.projector import Projector


class Service(msgspec.Struct, frozen=True):
    """The parts of a service."""

    settings: Settings
    instance: str
    ownership: Ownership
    clock: Clock
    log: Log
    event_log: DatabaseEventLog
    model: ReadModel
    vma: VMA
    app: JobRecovery
    runs: RunBook
    contact: Contact
    poller: Poller
    retries: RetryScheduler
    recovery: Recovery
    supervisor: Supervisor
    projector: Projector
    queries: Queries
    trail: AuditTrail
    decisions: RecordedDecisions
    background: Background
    access: Access
    reports: Reports
    registrar: Registrar
    metrics: Metrics
    traces: Traces
    peers: Peers

    def circuits(self) -> dict[str, Circuit]:
        """Return the circuit breaker of each VMA, by the VMA's name."""
        return self.vma.circuits if isinstance(self.vma, HttpVMA) else {}

    def circuit_states(self) -> dict[str, str]:
        """Return the state of each VMA's circuit breaker."""
        return {name: circuit.state for name, circuit in self.circuits().items()}

    async def close(self) -> None:
        """Store pending events and close all parts."""
        if isinstance(self.vma, HttpVMA):
            await self.vma.close()
        await self.peers.close()
        self.traces.close()
        self.access.tokens.close()
        self.event_log.close()
        self.model.close()


def build(
    settings: Settings, log: Log, *, clock: Clock | None = None, vma: VMA | None = None, address: str | None = None
) -> Service:
    """Return the service on the settings' data directory; nothing runs yet. `address` is where it can be asked.

    Raises:
        InvalidInput: a file with certificate authorities cannot be used.
        StorageUnavailable: the data directory or a file in it cannot be used.

    """
    clock = clock or SystemClock()
    client = vma or HttpVMA(
        settings.vma_urls, clock, settings, circuit_rest=settings.circuit_rest, ca_file=settings.vma_ca_file
    )
    prepare(settings.data_dir)
    if (why := weakness()) is not None:
        log.warning("sqlite_not_trusted", why=why)
    instance = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(3)}"
    event_log = open_event_log(settings, log, instance)
    try:
        tokens = open_tokens(settings, log)
    except JobRecoveryError:
        event_log.close()
        raise
    model = open_read_model(settings, log)
    projector = Projector(model.writer, event_log, clock, log, model.writing)
    event_log.on_commit(projector.committed)
    me = Instance(
        id=instance,
        address=settings.instance_url or address or settings.address(),
        version=version("job-recovery"),
        started_at=clock.now(),
        vmas=frozenset(settings.vma_urls),
        owns=frozenset(),
    )
    return assemble(settings, me, clock, log, event_log, model, client, projector, tokens, random.SystemRandom())


def new_run_id(clock: Clock, chance: random.Random) -> Callable[[], str]:
    """Return a function that creates run ids, which sort by time and are unique among instances."""
    return lambda: f"run-{clock.now():%Y%m%d-%H%M%S}-{chance.getrandbits(24):06x}"


def assemble(  # noqa: PLR0913 - the parts of the service
    settings: Settings,
    me: Instance,
    clock: Clock,
    log: Log,
    event_log: DatabaseEventLog,
    model: ReadModel,
    vma: VMA,
    projector: Projector,
    tokens: Tokens,
    chance: random.Random,
) -> Service:
    """Return the service with these parts. `chance` is its only source of randomness."""
    policy = settings.policy
    instances = event_log.instances(me, lambda: (projector.position, projector.head))
    ownership = Ownership(instances)
    app = JobRecovery(event_log, clock, policy, ownership)
    runs = RunBook(event_log, clock, log, me.id, new_run_id(clock, chance))
    metrics = Metrics()
    traces = Traces(os.environ)
    if isinstance(vma, HttpVMA):
        vma.trace(traces.provider)
    event_log.on_append(metrics.appended)
    app.subscribe(metrics.decided)
    background = Background()
    event_log.on_late_commit(app.forget)
    event_log.on_late_commit(lambda events: background.start(app.take_in(events)))
    awake = AwakeTime(clock)
    silences = Silences(clock, awake.count_absences, settings.longest_pause)
    contact = Contact(vma, clock, policy, silences, app.may_be_open)
    contact.on_observed(metrics.probed)
    backoff = Backoff(settings.retry_backoff_initial, settings.retry_backoff_max, chance.random)
    queries = Queries(model.readers, model.reading)
    trail = AuditTrail(model.readers, model.reading)
    requests = RecoveryRequests()
    event_log.on_others(lambda events: background.start(app.take_in(app.follow(events))))
    event_log.on_others(partial(_recover_what_others_ask_for, app, requests))
    shared = Dependencies(app, contact, clock, log)
    poller = Poller(shared, awake=awake, interval=settings.poll_interval, on_contact_lost=requests.request)
    recovery = Recovery(shared, runs, requests, poller, backoff)
    retries = RetryScheduler(shared, backoff, requests.request)
    supervisor = Supervisor(
        shared,
        runs=runs,
        poller=poller,
        retries=retries,
        reconciliation=Reconciliation(
            shared, first_after=settings.retry_backoff_initial, ask_for=settings.reconcile_for
        ),
        recovery=recovery,
        health=HealthMonitor(
            shared,
            poller,
            awake=awake,
            stale_after=settings.unpolled_after,
            stalled_after=settings.stalled_after,
            recover=requests.request,
        ),
        awake=awake,
        guesses=partial(_guesses, projector, queries),
        ownership=ownership,
    )
    buckets = Buckets(settings.rate_limit, clock.monotonic)
    access = Access(tokens, buckets, settings.auth, on_loopback=is_loopback(settings.host))
    return Service(
        settings,
        me.id,
        ownership,
        clock,
        log,
        event_log,
        model,
        vma,
        app,
        runs,
        contact,
        poller,
        retries,
        recovery,
        supervisor,
        projector,
        queries,
        trail,
        RecordedDecisions(trail),
        background,
        access,
        Reports(shared, poller, recovery, requests.request),
        Registrar(app, contact),
        metrics,
        traces,
        Peers(),
    )


def _recover_what_others_ask_for(app: JobRecovery, requests: RecoveryRequests, events: Sequence[Event]) -> None:
    """Recover the jobs of this instance that an operator has had recovered by another one."""
    for event in events:
        if isinstance(event, RecoveryRunStarted) and event.cause is Cause.OPERATOR:
            for job_id in filter(app.may_be_open, event.job_ids):
                requests.request(job_id, Cause.OPERATOR)


async def _guesses(projector: Projector, queries: Queries) -> Sequence[str]:
    """Return the ids of the jobs whose outcome was inferred.

    Raises:
        ReadModelAway: the read model does not have all of them.

    """
    if not projector.caught_up:
        raise ReadModelAway("the read model is not up to date")
    return await queries.guesses()
