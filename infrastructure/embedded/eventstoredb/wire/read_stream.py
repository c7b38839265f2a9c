"""Reads of one stream, forwards and backwards."""

import asyncio
from dataclasses import dataclass

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.log import MAX
from infrastructure.embedded.eventstoredb.storage.rows import Row, StreamRow
from infrastructure.embedded.eventstoredb.wire import rendering, statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call
from infrastructure.embedded.eventstoredb.wire.rendering import Rendering

_END = 2**64 - 1


@dataclass(frozen=True, slots=True)
class StreamRead:
    """`start` is the first number to send, _END for the newest; `told_positions` asks for ends of the stream."""

    stream: str
    start: int
    limit: int
    backwards: bool
    told_positions: bool

    async def run(self, call: Call[streams_pb2.ReadReq], shape: Rendering) -> None:
        """Sends the events, or that there is no such stream. Raises Failure."""
        if not self.limit or (self.start == _END and not self.backwards):
            raise statuses.unexpected("ReadStreamResult: Error")
        row = shape.log.stream(self.stream)
        if row.last == MAX:
            raise statuses.stream_deleted(self.stream)
        if row.last < 0 or row.metadata.soft_deleted:
            await call.send_frames(rendering.stream_not_found(self.stream))
            return
        if self.told_positions and not self.backwards:
            await call.send_frames(self._before(row))
        await self._events(call, shape, row)
        if self.told_positions:
            await call.send_frames(rendering.last_stream_position(row.last))

    async def _events(self, call: Call[streams_pb2.ReadReq], shape: Rendering, row: StreamRow) -> None:
        following, left = self.start, self.limit
        while left and (rows := self._page(shape, row, following, left)):
            await call.send_frames(shape.page(rows))
            await asyncio.sleep(0)
            left -= len(rows)
            following = rows[-1][0] + (-1 if self.backwards else 1)

    def _page(self, shape: Rendering, row: StreamRow, following: int, left: int) -> list[Row]:
        if self.backwards:
            return shape.log.reader.stream_backwards(row, following, left)
        return shape.log.reader.stream_forwards(row, following, left)

    def _before(self, row: StreamRow) -> bytes:
        """Where the visible part begins, for a read that begins outside it, page by page as 24.10 does."""
        first = row.metadata.first_visible(row.last)
        marks = []
        if self.start > row.last:
            marks = [row.last + 1]
        elif first > row.last:
            marks = [first, row.last + 1]
        elif self.start + self.limit <= first:
            marks = [first]
        return b"".join([rendering.first_stream_position(mark) for mark in marks])
