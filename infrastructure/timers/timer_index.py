"""Tells from the read model in Redis which instances of a saga have deadlines that have passed."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, Protocol

from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.text_order import PageQuery
from projections.projection import Projection
from projections.saga_timers import SagaTimers, passed_by

_PAGE: Final = 100


class TimerSource(Protocol):
    """Where a worker looks for deadlines that have passed. What it says proves nothing."""

    @property
    def name(self) -> str:
        """How log lines call it."""

    def passed(self, now: datetime) -> AsyncIterator[Sequence[str]]:
        """Pages of members as the read model indexes them: when the first deadline of an instance passed, its stream.

        Raises ReadModelUnavailable, StoreUnavailable.
        """


class TimerIndex:
    """The read model of one saga's deadlines: a bounded read of each partition for each page."""

    def __init__(self, models: ReadModels, projection: Projection[SagaTimers]) -> None:
        self.name: Final = projection.name
        self._models: Final = models
        self._projection: Final = projection

    async def passed(self, now: datetime) -> AsyncIterator[Sequence[str]]:
        """As `TimerSource.passed`, those that passed first come first."""
        after: str | None = None
        while True:
            page = await self._models.members(self._projection, PageQuery(passed_by(now), _PAGE, after))
            yield page.members
            after = page.next
            if after is None:
                return
