"""Where a saga begins: found once, written as its first sweep checkpoint before any group is made, and kept."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from domain.saga import Saga
from infrastructure.eventstore.errors import ConcurrencyConflict, WrongExpectedVersion
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import Streams
from infrastructure.sagas.filters import SagaFilters, filter_id, pattern_of, pattern_of_events
from infrastructure.sagas.sweep_checkpoint import SweepCheckpoint, SweepCheckpoints

_ATTEMPTS: Final = 5
_logger: Final = structlog.get_logger(__name__)


class StartPosition:
    """Of one saga with its present filter, on one store.

    The first time it is where the saga declares, or where the sweep of its last filter has come to: all before that is
    settled, or kept beside the checkpoint by its position.
    """

    def __init__(self, saga: Saga[Any, Any], streams: Streams, log: Log) -> None:
        self._saga: Final = saga
        self._streams: Final = streams
        self._log: Final = log
        self.pattern: Final = pattern_of(saga)
        self._of_before: Final = filter_id(pattern_of_events(saga.reacts_to))  # by a release that declared none
        self.filters: Final = SagaFilters(streams, saga.category)
        self.checkpoints: Final = self._checkpoints_of(filter_id(self.pattern))

    async def checkpoint(self) -> SweepCheckpoint:
        """The sweep checkpoint as it stands in this log; the first one, written now, where there is none.

        Raises StoreUnavailable, UnreadableEvent, ConcurrencyConflict, and what appending raises.
        """
        others = await self.filters.declare(self.pattern)
        for _ in range(_ATTEMPTS):
            stored = await self.checkpoints.read()
            if stored.version is not None and await self._is_of_this_log(stored):
                return stored
            if stored.version is not None:
                _logger.warning("saga_sweep_begins_again", saga=self._saga.category, position=stored.position)
            first = await self._first([*others, self._of_before] if stored.version is None else [])
            try:
                begun = await self.checkpoints.begin(first, stored.version)
            except WrongExpectedVersion:
                continue  # another worker was faster
            _logger.info("saga_begun", saga=self._saga.category, position=begun.position, after=begun.begin)
            return begun
        raise ConcurrencyConflict(self.checkpoints.stream, _ATTEMPTS)

    async def _first(self, others: list[UUID]) -> SweepCheckpoint:
        for other in others:
            last = await self._checkpoints_of(other).read()
            if last.version is not None and await self._is_of_this_log(last):
                return last if last.position is None else replace(last, begin=last.position)
        return await self._declared(self._saga.begins)

    async def _declared(self, begins: object) -> SweepCheckpoint:
        if begins == "beginning":
            return SweepCheckpoint()
        if isinstance(begins, datetime):
            return _after(await self._log.last_before(self.pattern, begins))
        return _after(await self._log.last())

    async def _is_of_this_log(self, checkpoint: SweepCheckpoint) -> bool:
        """Whether the log has no other record at its place than it had."""
        if checkpoint.position is None or checkpoint.event_id is None:
            return True
        found = await self._log.first_from(checkpoint.position)
        return found is not None and (found.position != checkpoint.position or found.id == checkpoint.event_id)

    def _checkpoints_of(self, own: UUID) -> SweepCheckpoints:
        return SweepCheckpoints(self._streams, self._saga.category, own)


def _after(last: Record | None) -> SweepCheckpoint:
    """Everything up to this record is none of the saga's; None: there is nothing yet."""
    if last is None:
        return SweepCheckpoint()
    return SweepCheckpoint(last.position, event_id=last.id, begin=last.position)
