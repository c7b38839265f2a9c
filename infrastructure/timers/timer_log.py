"""Tells from the log which instances of a saga have deadlines that are overdue: what is lost in Redis is found so."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.saga import Saga
from domain.stream_name import StreamName
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.sagas.filters import pattern_of_events
from projections.saga_timers import SagaTimers, entries, timers_of

OVERDUE: Final = timedelta(seconds=60)
"""A deadline that has passed for longer is one that nobody who looks in Redis has found."""
MOST: Final = 100_000  # rows in memory, some 40 MB; for a moment twice as many
_PAGE: Final = 500
_SCAN_SECONDS: Final = 120.0  # the first time, the server reads the whole log


class TimerLog:
    """Folds what the engine noted of deadlines, once from the beginning of the log and then what is new.

    It keeps the `most` instances whose deadlines pass first. Before the first of the others passes, all is read anew.
    """

    def __init__(self, log: Log, codec: EventCodec, saga: Saga[Any, Any], most: int = MOST) -> None:
        self._log: Final = log
        self._codec: Final = codec
        self._category: Final = saga.category
        self._handlers: Final = timers_of(saga).handlers
        self._pattern: Final = pattern_of_events(self._handlers)
        self._most: Final = most
        self.name: Final = f"overdue deadlines of {saga.category}"
        self._position: int | None = None
        self._horizon: datetime | None = None
        self._rows: dict[str, SagaTimers] = {}

    async def passed(self, now: datetime) -> AsyncIterator[Sequence[str]]:
        """Those that are overdue, in one page. Raises StoreUnavailable, and what an event that can't be read raises."""
        limit = now - OVERDUE
        await self._read_on(limit)
        overdue = [row for row in self._rows.values() if _first(row) < limit]
        yield sorted(entry.member for row in overdue for entry in entries(row))

    async def _read_on(self, limit: datetime) -> None:
        end = await self._log.end()
        is_older_copy = self._position is not None and end < self._position
        if is_older_copy or (self._horizon is not None and self._horizon < limit):
            self._forget()
        while await self._read_page():
            pass
        self._position = max(end, self._position or 0) or None

    async def _read_page(self) -> bool:
        """Whether there may be more. The record at the position is read again, and passed over."""
        page = await self._log.of_types(self._pattern, self._position, _PAGE, _SCAN_SECONDS)
        for record in page:
            if self._position is None or (record.position or 0) > self._position:
                self._take(record)
        self._position = page[-1].position if page else self._position
        self._keep_those_that_pass_first()
        return len(page) == _PAGE

    def _take(self, record: Record) -> None:
        if not _is_of(self._category, record.stream):
            return
        for recorded in self._codec.events_in(record):
            row = self._handlers[type(recorded.event)](self._rows.pop(recorded.stream, None), recorded)
            if row is not None:
                self._rows[recorded.stream] = row

    def _keep_those_that_pass_first(self) -> None:
        if len(self._rows) < 2 * self._most:
            return
        by_time = sorted(self._rows.items(), key=lambda item: _first(item[1]))
        self._rows = dict(by_time[: self._most])
        dropped = _first(by_time[self._most][1])
        self._horizon = min(self._horizon or dropped, dropped)

    def _forget(self) -> None:
        self._position = self._horizon = None
        self._rows = {}


def _first(row: SagaTimers) -> datetime:
    """When its first deadline passes, whether it stands still or not."""
    return min(timer.due for timer in row.open)


def _is_of(category: str, stream: str) -> bool:
    try:
        return StreamName.parse(stream).category == category
    except ValueError:
        return False
