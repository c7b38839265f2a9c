"""A process that builds some partitions of a view: started by `rebuild --into` alone, and ended with it."""

from collections.abc import Sequence
from typing import Any

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.errors import ViewLost
from infrastructure.views.partition_build import build_partitions
from projections.projection import Projection
from service.cli.views.survey import reading_views
from service.settings import Settings
from service.workers.collector import freeze_before_folding
from service.workers.lifetime import end_with
from service.workers.projections import deployment_of


def fold(
    settings: Settings,
    projection: Projection[Any],
    view: tuple[str, str],
    partitions: Sequence[int],
    pipe: int | None,
) -> int:
    """Builds these partitions of the view, which is given by its name and number, and ends. Raises RedisUnavailable,
    ViewsUnusable, EventStoreError."""
    end_with(pipe)
    name, number = view
    with reading_views(settings):
        with connect(settings.redis, ProjectionKeys(settings.namespace, projection.name).live) as connection:
            found = ViewCatalog(connection, settings.namespace, projection.name).find(name)
        if found is None or str(found.number) != number:
            raise ViewLost(projection.name, f"the view {name} is gone")
        freeze_before_folding()
        build_partitions(deployment_of(settings), projection, found, partitions)
    return 0
