"""Reads of one stream, forwards and backwards."""

import asyncio
from dataclasses import dataclass

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.log import MAX
from infrastructure.embedded.eventstoredb.storage.rows import Row, StreamRow
from infrastructure.embedded.eventstoredb.wire import read_responses, statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call
from infrastructure.embedded.eventstoredb.wire.positions import END
from infrastructure.embedded.eventstoredb.wire.read_responses import EventRenderer


@dataclass(frozen=True, slots=True)
class StreamRead:
    """`start` is the first number to send, END for the newest; `with_positions` adds the ends of the stream."""

    stream: str
    start: int
    limit: int
    backwards: bool
    with_positions: bool

    async def run(self, call: Call[streams_pb2.ReadReq], renderer: EventRenderer) -> None:
        """Sends the events, or that there is no such stream. Raises Failure."""
        if not self.limit or (self.start == END and not self.backwards):
            raise statuses.unexpected("ReadStreamResult: Error")
        row = renderer.log.stream(self.stream)
        if row.last == MAX:
            raise statuses.stream_deleted(self.stream)
        if row.last < 0 or row.metadata.soft_deleted:
            await call.send_frames(read_responses.stream_not_found(self.stream))
            return
        if self.with_positions and not self.backwards:
            await call.send_frames(self._before(row))
        await self._events(call, renderer, row)
        if self.with_positions:
            await call.send_frames(read_responses.last_stream_position(row.last))

    async def _events(self, call: Call[streams_pb2.ReadReq], renderer: EventRenderer, row: StreamRow) -> None:
        following, left = self.start, self.limit
        while left and (rows := self._page(renderer, row, following, left)):
            await call.send_frames(renderer.page(rows))
            await asyncio.sleep(0)
            left -= len(rows)
            following = rows[-1][0] + (-1 if self.backwards else 1)

    def _page(self, renderer: EventRenderer, row: StreamRow, following: int, left: int) -> list[Row]:
        if self.backwards:
            return renderer.log.reader.stream_backwards(row, following, left)
        return renderer.log.reader.stream_forwards(row, following, left)

    def _before(self, row: StreamRow) -> bytes:
        """Where the visible part begins, for a read that begins outside it, page by page as 24.10 does."""
        first = row.metadata.first_visible(row.last)
        positions = []
        if self.start > row.last:
            positions = [row.last + 1]
        elif first > row.last:
            positions = [first, row.last + 1]
        elif self.start + self.limit <= first:
            positions = [first]
        return b"".join([read_responses.first_stream_position(position) for position in positions])
