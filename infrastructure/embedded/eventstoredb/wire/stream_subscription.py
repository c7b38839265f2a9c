"""Catch-up subscriptions to one stream."""

import asyncio

from esdbclient.protos.Grpc import streams_pb2

from infrastructure.embedded.eventstoredb.log import MAX, EventLog
from infrastructure.embedded.eventstoredb.storage.reader import PAGE_RECORDS
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.calls import Call
from infrastructure.embedded.eventstoredb.wire.read_responses import CAUGHT_UP, EventRenderer, confirmation


class StreamSubscription:
    """One reader of one stream, which need not exist yet."""

    def __init__(self, call: Call[streams_pb2.ReadReq], renderer: EventRenderer, stream: str) -> None:
        self._call, self._renderer, self._stream = call, renderer, stream
        self._log: EventLog = renderer.log

    async def run(self, after: int | None) -> None:
        """From the event after this number on (-1: all), or only what is appended from now on."""
        row = self._log.stream(self._stream)
        if row.last == MAX:
            raise self._stream_deleted_error()
        await self._call.send_frames(confirmation())
        following = row.last + 1 if after is None else await self._history(after + 1)
        await self._call.send_frames(CAUGHT_UP)
        await self._live(following)

    async def _history(self, first: int) -> int:
        """Sends what readers may see from number `first` on; the number that comes next."""
        while True:
            row = self._log.stream(self._stream)
            if row.last == MAX:
                return first  # closed while it was read: what is left comes as live events do
            rows = self._log.reader.stream_forwards(row, first, PAGE_RECORDS)
            if not rows:
                return max(first, row.last + 1)
            first = rows[-1][0] + 1
            await self._call.send_frames(self._renderer.page(rows))
            await asyncio.sleep(0)

    async def _live(self, following: int) -> None:
        """Sends all that is appended, also what metadata hides; ends with the stream's tombstone."""
        while True:
            looked_up_to = self._log.last_position
            row = self._log.stream(self._stream)
            while rows := self._log.reader.stream_whole(row, following, PAGE_RECORDS):
                await self._call.send_frames(self._renderer.page(rows))
                if rows[-1][0] == MAX:
                    raise self._stream_deleted_error()
                following = rows[-1][0] + 1
            await self._log.wait_for_stream(self._stream, looked_up_to)

    def _stream_deleted_error(self) -> Exception:
        return statuses.stream_deleted(self._stream)
