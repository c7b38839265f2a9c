"""Runs the projections, each in threads of its own, until it is told to stop."""

from infrastructure.eventstore.codec import EventCodec
from infrastructure.readmodels import worker
from infrastructure.readmodels.follower import Deployment
from service.consumers import EVENTS, PROJECTIONS
from service.settings import Settings, SettingsError, variable_of
from service.workers.lifetime import end_with, thread_stop_event
from service.workers.metrics_port import metrics_on
from service.workers.projection_metrics import ProjectionMetrics


def run_projections(settings: Settings, stop_when_closed: int | None) -> int:
    """Folds the log into the read models until SIGTERM or SIGINT; no batch is left half committed."""
    deployment = deployment_of(settings)
    stop = thread_stop_event()
    end_with(stop_when_closed)
    with metrics_on(settings.metrics_port, ProjectionMetrics(deployment.reports)):
        worker.run_projections(PROJECTIONS, deployment, stop)
    return 0


def deployment_of(settings: Settings) -> Deployment:
    """The deployment that these settings describe. Raises SettingsError, also for an unknown projection's name."""
    return Deployment(
        eventstore_uri=settings.eventstore,
        redis_uri=settings.redis,
        namespace=settings.namespace,
        codec=EventCodec(EVENTS),
        partitions=settings.partitions,
        skip_unreadable=skipping(settings),
    )


def skipping(settings: Settings) -> frozenset[str]:
    """The projections that skip what they can't read. Raises SettingsError for the name of none."""
    known = [projection.name for projection in PROJECTIONS]
    if unknown := [name for name in settings.skip_unreadable if name not in known]:
        raise SettingsError(
            variable_of("skip_unreadable"), f"there is no projection {unknown[0]!r}; there are: {', '.join(known)}"
        )
    return frozenset(settings.skip_unreadable)
