"""Reads how instances of sagas fare, for operators' verbs: from the read models, and the timeline from the log."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

from domain.saga import Saga
from domain.stream_name import StreamName
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.history.records import Records
from infrastructure.readmodels.answers import RowAtPosition
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.text_order import MemberPage, PageQuery
from infrastructure.sagas.timeline import Moment
from projections.projection import Projection
from projections.saga_instance import SagaInstance
from projections.saga_status import SagaStatuses
from service.cli.read_models import asked_read_models
from service.consumers import SAGA_STATUS
from service.errors import NoInstance, StatusUnreadable
from service.sagas.instance_lists import Asked, Listed, listed
from service.sagas.timelines import timeline_of
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class _StatusReader:
    """What there is now, of a tenant."""

    models: ReadModels
    tenant: str

    async def row(self, projection: Projection[SagaStatuses], key: str) -> RowAtPosition[SagaStatuses]:
        return await self.models.get(projection, key)

    async def members(self, projection: Projection[Any], page: PageQuery) -> MemberPage:
        return await self.models.members(projection, page)

    async def rows(self, projection: Projection[SagaStatuses], keys: Sequence[str]) -> list[SagaStatuses]:
        return [row for row in await self.models.rows(projection, keys) if row is not None]


async def instances(settings: Settings, tenant: str, saga: Saga[Any, Any] | None, asked: Asked) -> Listed:
    """A tenant's of one saga, or of all, the latest change first. Raises StatusUnreadable, StoreUnavailable."""
    projections = SAGA_STATUS if saga is None else (_of(saga),)
    async with _reading(settings, tenant) as reader:
        return await listed(reader, projections, asked)


async def instance_with_timeline(
    settings: Settings, saga: Saga[Any, Any], stream: str
) -> tuple[SagaInstance, Sequence[Moment]]:
    """The instance of a stream, and what happened to it as far as the read model is.

    Raises NoInstance and as `instances`.
    """
    name = StreamName.parse(stream)
    async with _reading(settings, name.tenant) as reader:
        row = (await reader.row(_of(saga), name.id)).row
    instance = None if row is None else row.of_stream(stream)
    if instance is None:
        raise NoInstance(stream)
    with closing(open_reader(settings.eventstore)) as log:
        return instance, timeline_of(Records(log, stream), saga, instance)


def _of(saga: Saga[Any, Any]) -> Projection[SagaStatuses]:
    return next(projection for projection in SAGA_STATUS if projection.category == saga.category)


@asynccontextmanager
async def _reading(settings: Settings, tenant: str) -> AsyncIterator[_StatusReader]:
    try:
        async with asked_read_models(settings) as (_, models):
            yield _StatusReader(models.of_tenant(tenant), tenant)
    except ReadModelError as error:
        raise StatusUnreadable(error.projection, str(error)) from error
