"""What the read model of a saga's instances counts: how many are of each status, stuck, or with late deadlines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.text_order import PageQuery, PartCount
from projections.projection import Projection
from projections.saga_instance import Status
from projections.saga_status import BY_STATUS, OVERDUE, idle_since, overdue_since, stream_in


@dataclass(frozen=True, slots=True)
class SagaFigures:
    """`stuck` instances run, wait for no deadline, and nothing has happened to them for `stuck_seconds`; the stream of
    the one that has been left for longest is `longest_stuck`. `overdue` have a deadline that passed a minute ago."""

    by_status: Mapping[str, int]
    stuck_seconds: int
    stuck: int = 0
    longest_stuck: str | None = None
    overdue: int = 0


async def figures_of(models: ReadModels, projection: Projection[Any], stuck_seconds: int) -> SagaFigures:
    """Those of now, by this process's clock. Raises what ReadModels raises."""
    now, counted = datetime.now(UTC), await models.sums(projection, [BY_STATUS])
    by_status = {status: counted.groups[BY_STATUS].get(status, 0) for status in get_args(Status)}
    idle = idle_since(now - timedelta(seconds=stuck_seconds))
    stuck = await models.count(projection, PartCount(idle))
    longest = (await models.members(projection, PageQuery(idle, 1))).members if stuck else ()
    overdue = await models.count(projection, PartCount(overdue_since(now - OVERDUE)))
    return SagaFigures(by_status, stuck_seconds, stuck, stream_in(longest[0]) if longest else None, overdue)
