"""Looks at views in Redis from the command line."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.servers import servers_at
from infrastructure.readmodels.sizes import Sizes, sizes_of
from infrastructure.readmodels.uri import address_in
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import ViewDefinition
from service.errors import RedisUnavailable, ViewsUnusable
from service.settings import Settings

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ListedView:
    """A view, and how much each of its partitions holds."""

    view: ViewDefinition
    sizes: Sequence[Sizes]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.sizes)

    @property
    def bytes(self) -> int | None:
        """About how many; None where Redis does not tell what its keys take."""
        known = [each.bytes for each in self.sizes if each.bytes is not None]
        return sum(known) if len(known) == len(self.sizes) else None


@contextmanager
def reading_views(settings: Settings) -> Iterator[None]:
    """Raises RedisUnavailable for what Redis raises, ViewsUnusable for what is wrong with views."""
    try:
        yield
    except RedisError as error:
        raise RedisUnavailable(address_in(settings.redis), str(error) or type(error).__name__) from error
    except ReadModelError as error:
        raise ViewsUnusable(error.projection, error.detail) from error


def views_of(settings: Settings, projections: Sequence[str]) -> list[ViewDefinition]:
    """Those of these projections, in this order, then by name."""
    found = []
    for projection in projections:
        with connect(settings.redis, ProjectionKeys(settings.namespace, projection).live) as connection:
            found += ViewCatalog(connection, settings.namespace, projection).all()
    return found


def listed(settings: Settings, projections: Sequence[str]) -> list[ListedView]:
    """The same with what they hold. Raises RedisError, NewerFormat."""
    views = views_of(settings, projections)
    return asyncio.run(_measured(settings, views)) if views else []


def listed_view(settings: Settings, view: ViewDefinition) -> ListedView:
    """One of them. Raises RedisError."""
    [found] = asyncio.run(_measured(settings, [view]))
    return found


async def _measured(settings: Settings, views: Sequence[ViewDefinition]) -> list[ListedView]:
    servers = servers_at(settings.redis, _SECONDS)
    try:
        found = []
        for view in views:
            keys = [view.keys(settings.namespace, number) for number in range(view.partitions)]
            found.append(ListedView(view, [await sizes_of(await servers.at(each.checkpoint), each) for each in keys]))
        return found
    finally:
        await servers.aclose()
