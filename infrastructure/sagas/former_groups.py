"""The groups of the filters that a saga had before: deleted once nobody consumes them any more."""

import asyncio
from typing import Final

import structlog

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.group_state import group_state
from infrastructure.eventstore.persistent_subscription import delete_group
from infrastructure.sagas.filters import SagaFilters, group_name

_SECONDS: Final = 5.0
_logger: Final = structlog.get_logger(__name__)


class FormerGroups:
    """Of one saga, whose groups' names begin with `saga_groups`; the first had no more of a name than that."""

    def __init__(self, client: CommandClient, saga_groups: str, filters: SagaFilters, pattern: str) -> None:
        self._client: Final = client
        self._saga_groups: Final = saga_groups
        self._filters: Final = filters
        self._pattern: Final = pattern

    async def run(self, every: float) -> None:
        """Looks now, which is after the saga's own group was joined, and every so many seconds, until it is cancelled.

        One that is consumed is left alone: a release from before, or one after, works beside this one.
        """
        while True:
            try:
                await self.delete_idle()
            except EventStoreError as error:
                told = {"reason": str(error), "retry_after": every}
                _logger.warning("saga_groups_left", groups=self._saga_groups, **told)
            await asyncio.sleep(every)

    async def delete_idle(self) -> None:
        """Deletes those that nobody consumes. Raises StoreUnavailable, and what `SagaFilters.declare` raises."""
        others = await self._filters.declare(self._pattern)
        for name in (self._saga_groups, *(group_name(self._saga_groups, other) for other in others)):
            found = await group_state(self._client, name, _SECONDS)
            if found is not None and not found.consumers:
                await delete_group(self._client, name)
                _logger.info("saga_group_deleted", group=name, waiting=found.waiting, parked=found.parked)
