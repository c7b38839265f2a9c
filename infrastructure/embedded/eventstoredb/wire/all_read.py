"""Reads of $all, forwards and backwards, with and without a filter."""

import asyncio
from dataclasses import dataclass

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.filters.filter import Filter
from infrastructure.embedded.eventstoredb.storage.reader import PAGE_RECORDS
from infrastructure.embedded.eventstoredb.storage.rows import Row
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call
from infrastructure.embedded.eventstoredb.wire.positions import END
from infrastructure.embedded.eventstoredb.wire.read_responses import EventRenderer


@dataclass(frozen=True, slots=True)
class AllRead:
    """`start` is a position: forwards from it on, backwards what is before it; END is the log's end."""

    start: int
    limit: int
    backwards: bool
    filter: Filter | None

    async def run(self, call: Call[streams_pb2.ReadReq], renderer: EventRenderer) -> None:
        """Sends the events. Raises Failure for a position where no record begins."""
        self._check(renderer)
        if self.start == END and not self.backwards:
            await call.send_frames(b"")
            return
        following, left = min(self.start, 2**63 - 1), self.limit
        while left and (rows := self._page(renderer, following, left)):
            following = rows[-1][0] + (0 if self.backwards else 1)
            wanted = rows if self.filter is None else self._passing(rows, self.filter)[:left]
            left -= len(wanted)
            await call.send_frames(renderer.page(wanted))
            await asyncio.sleep(0)

    def _check(self, renderer: EventRenderer) -> None:
        result = "ReadAllResult" if self.filter is None else "FilteredReadAllResult"
        if self.start in (0, END) or renderer.log.reader.is_position(self.start):
            return
        if self.start < renderer.log.last_position:
            raise statuses.unexpected(f"{result}: InvalidPosition")
        if self.backwards:
            raise statuses.unexpected(f"{result}: Error")

    def _page(self, renderer: EventRenderer, following: int, left: int) -> list[Row]:
        records = left if self.filter is None else PAGE_RECORDS
        if self.backwards:
            return renderer.log.reader.all_backwards(following, records)
        return renderer.log.reader.all_forwards(following, records)

    def _passing(self, rows: list[Row], wanted: Filter) -> list[Row]:
        return [row for row in rows if wanted.admits(row[1], row[2])]
