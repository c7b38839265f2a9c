"""Catch-up subscriptions to $all: history at the reader's pace, then what is committed."""

import asyncio
from dataclasses import dataclass

from esdbclient.protos.Grpc import streams_pb2
from grpclib.const import Status

from infrastructure.embedded.eventstoredb.filters.checkpoints import (
    HistoryCheckpoints,
    LiveCheckpoints,
)
from infrastructure.embedded.eventstoredb.filters.filter import Filter
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.reader import PAGE_BYTES, PAGE_RECORDS
from infrastructure.embedded.eventstoredb.storage.rows import Row
from infrastructure.embedded.eventstoredb.wire.calls import Call, Failure
from infrastructure.embedded.eventstoredb.wire.read_responses import (
    CAUGHT_UP,
    FELL_BEHIND,
    EventRenderer,
    checkpoint,
    confirmation,
)

# So many full pages in a row that leave something waiting: the reader is slower than the writers.
_FULL_PAGES_BEHIND = 8


@dataclass(frozen=True, slots=True)
class WindowedFilter:
    """A filter, and how often checkpoints come for what did not pass it."""

    filter: Filter
    window: int
    multiplier: int

    @property
    def interval(self) -> int:
        """Events from one checkpoint to the next."""
        return self.window * self.multiplier


class AllSubscription:
    """One subscriber; the log is its buffer, however slow it is."""

    def __init__(
        self, call: Call[streams_pb2.ReadReq], renderer: EventRenderer, windowed: WindowedFilter | None
    ) -> None:
        self._call, self._renderer, self._filter = call, renderer, windowed
        self._log: EventLog = renderer.log

    async def run(self, after: int | None) -> None:
        """From the event after this position on (0: all), or only what is committed from now on."""
        await self._call.send_frames(confirmation())
        start = self._log.last_position if after is None else after
        if 0 < start <= self._log.last_position and not self._log.reader.is_position(start):
            raise Failure(Status.INVALID_ARGUMENT, "Trying to read from an invalid position.")
        at = start if after is None else await self._history(start)
        await self._call.send_frames(CAUGHT_UP)
        while True:
            at = await self._live(at)
            await self._call.send_frames(FELL_BEHIND)
            at = await self._history(at)
            await self._call.send_frames(CAUGHT_UP)

    async def _history(self, start: int) -> int:
        """Sends what there is after `start`; the position up to which it was looked through."""
        windowed = self._filter
        checkpoints = HistoryCheckpoints(windowed.window, windowed.interval) if windowed else None
        at, inclusive = start, bool(checkpoints)
        while rows := self._log.reader.all_forwards(at + (not inclusive), PAGE_RECORDS):
            at, inclusive = rows[-1][0], False
            await self._call.send_frames(self._history_page(rows, start, checkpoints))
            await asyncio.sleep(0)
        end = checkpoints.caught_up() if checkpoints else None
        if end is not None:
            await self._call.send_frames(checkpoint(end))
        return at

    def _history_page(self, rows: list[Row], start: int, checkpoints: HistoryCheckpoints | None) -> bytes:
        if checkpoints is None or self._filter is None:
            return self._renderer.page(rows)
        admits, frames = self._filter.filter.admits, []
        for row in rows:
            passes = admits(row[1], row[2])
            sent = passes and row[0] > start
            if sent:
                frames.append(self._renderer.event(row))
            due = checkpoints.saw(row[0], passes=passes, sent=sent)
            if due is not None:
                frames.append(checkpoint(due))
        return b"".join(frames)

    async def _live(self, at: int) -> int:
        """Sends what is committed, until the reader can't keep up; where it has got to."""
        checkpoints = LiveCheckpoints(self._filter.interval) if self._filter else None
        full_pages = 0
        while full_pages < _FULL_PAGES_BEHIND:
            await self._log.wait_beyond(at)
            rows = self._log.reader.all_forwards(at + 1, PAGE_RECORDS)
            if not rows:
                at = self._log.last_position  # hidden records only
                continue
            at = rows[-1][0]
            await self._call.send_frames(self._live_page(rows, checkpoints))
            is_full = len(rows) == PAGE_RECORDS or sum(len(row[3]) for row in rows) >= PAGE_BYTES
            full_pages = full_pages + 1 if is_full else 0
        return at

    def _live_page(self, rows: list[Row], checkpoints: LiveCheckpoints | None) -> bytes:
        if checkpoints is None or self._filter is None:
            return self._renderer.page(rows)
        admits, frames = self._filter.filter.admits, []
        for row in rows:
            if admits(row[1], row[2]):
                frames.append(self._renderer.event(row))
            due = checkpoints.saw(row[0])
            if due is not None:
                frames.append(checkpoint(due))
        return b"".join(frames)
