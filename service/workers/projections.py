"""Runs the projections, each in threads of its own, until it is told to stop."""

from dataclasses import replace
from functools import partial

from infrastructure.audits.background_audit import auditing
from infrastructure.eventstore.codec import EventCodec
from infrastructure.readmodels import worker
from infrastructure.readmodels.deployment import Deployment
from service.consumers import EVENTS, PROJECTIONS
from service.health.checks import Check
from service.projection_names import require_known_projections
from service.settings import Settings
from service.telemetry.process_traces import recording_traces
from service.workers.collector import freeze_before_folding
from service.workers.lifetime import end_with, thread_stop_event
from service.workers.metrics_port import metrics_on
from service.workers.projection_metrics import ProjectionMetrics
from service.workers.worker_health import WorkerHealth, of_leases


def run_projections(settings: Settings, stop_when_closed: int | None, worker_name: str | None = None) -> int:
    """Folds the log into the read models until SIGTERM or SIGINT; no batch is left half committed.

    Any number of these processes share the work. One that is started again under its name goes on at once with what
    it was killed at.
    """
    deployment = deployment_of(settings)
    if worker_name is not None:
        deployment = replace(deployment, worker=worker_name)
    stop = thread_stop_event()
    end_with(stop_when_closed)
    freeze_before_folding()
    health = WorkerHealth(deployment.outages, {"eventstore", "redis", "leases"}, partial(_work, deployment))
    folds = deployment.folds
    metrics = (ProjectionMetrics(deployment.reports), folds.events, folds.seconds)
    with (
        recording_traces(settings, "projections"),
        metrics_on(settings, health, *metrics),
        auditing(PROJECTIONS, deployment, settings.audit_streams),
    ):
        worker.run_projections(PROJECTIONS, deployment, stop)
    return 0


def _work(deployment: Deployment) -> dict[str, Check]:
    return of_leases(deployment.reports, joined=deployment.joined.is_set())


def deployment_of(settings: Settings) -> Deployment:
    """The deployment that these settings describe. Raises SettingsError, also for an unknown projection's name."""
    require_known_projections(settings)
    return Deployment(
        eventstore_uri=settings.eventstore,
        redis_uri=settings.redis,
        namespace=settings.namespace,
        codec=EventCodec(EVENTS),
        partitions=settings.partitions,
        skip_unreadable=frozenset(settings.skip_unreadable),
        priorities=settings.priorities,
    )
