"""Appends entries to the access log, many in one append, so that whoever asked is answered after it is on record."""

import asyncio
from collections import deque
from datetime import UTC
from typing import Final, NamedTuple, TypeAlias

from domain.stream_name import access_stream
from infrastructure.access.access_entry import AccessRecorded, record_with
from infrastructure.eventstore.append_messages import ANY_VERSION
from infrastructure.eventstore.appender import ANSWER_SECONDS
from infrastructure.eventstore.errors import EventStoreError, Overloaded, StoreUnavailable
from infrastructure.eventstore.record import NewRecord
from infrastructure.eventstore.streams import Streams

BATCH: Final = 64
"""Entries of one append: however long their texts, these are less than the 1 MiB that a store may take at once."""
WAITING: Final = 1024
_UNWRITABLE: Final = "the access log can't be written"


class AccessLogFull(EventStoreError):
    """As many entries, `waiting`, wait for their stream as may."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{_UNWRITABLE}: {waiting} entries wait already")
        self.waiting = waiting


class _Waiting(NamedTuple):
    """A record, and who waits for it."""

    record: NewRecord
    stored: asyncio.Future[None]


_Queue: TypeAlias = deque[_Waiting]


class AccessLog:
    """The access logs of all tenants. One append to a stream is under way at a time; what comes meanwhile is the next.

    `waiting` entries may wait for each stream, so that one tenant's flood stops no other's, each for `seconds`.
    """

    def __init__(self, streams: Streams, *, seconds: float = ANSWER_SECONDS, waiting: int = WAITING) -> None:
        self._streams: Final = streams
        self._seconds: Final = seconds
        self._most: Final = waiting
        self._queues: Final[dict[str, _Queue]] = {}
        self._writers: Final[dict[str, asyncio.Task[None]]] = {}

    async def record(self, tenant: str, entry: AccessRecorded) -> None:
        """Returns once the entry is stored, in the stream of its day.

        Raises AccessLogFull where its queue is full, and StoreUnavailable, whatever else keeps it from that: it may be
        stored all the same. Whoever is cancelled meanwhile may leave no entry.
        """
        day = entry.at.astimezone(UTC).date()
        waiting = self._queued(access_stream(day, tenant), record_with(entry))
        try:
            async with asyncio.timeout(self._seconds):
                await waiting.stored
        except TimeoutError as error:
            raise self._unwritable(f"it took longer than {self._seconds:g} s") from error
        except StoreUnavailable as error:
            raise self._unwritable(error.reason) from error
        except EventStoreError as error:
            raise self._unwritable(str(error), is_away=isinstance(error, Overloaded)) from error

    async def close(self) -> None:
        """Gives up what is not stored yet."""
        writers = list(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)

    def _queued(self, stream: str, record: NewRecord) -> _Waiting:
        queue = self._queues.setdefault(stream, deque())
        if len(queue) >= self._most:
            raise AccessLogFull(len(queue))
        waiting = _Waiting(record, asyncio.get_running_loop().create_future())
        queue.append(waiting)
        if stream not in self._writers:
            self._writers[stream] = asyncio.create_task(self._write(stream, queue), name=f"write {stream}")
        return waiting

    def _unwritable(self, reason: str, *, is_away: bool = True) -> StoreUnavailable:
        return StoreUnavailable(self._streams.address, f"{_UNWRITABLE}: {reason}", is_away=is_away)

    async def _write(self, stream: str, queue: _Queue) -> None:
        try:
            while queue:
                taken = [queue.popleft() for _ in range(min(len(queue), BATCH))]
                if batch := [each for each in taken if not each.stored.done()]:  # nobody waits for the others
                    await self._store(stream, batch)
        finally:
            del self._queues[stream], self._writers[stream]

    async def _store(self, stream: str, batch: list[_Waiting]) -> None:
        failure: EventStoreError | None = None
        try:
            await self._append(stream, [each.record for each in batch])
        except EventStoreError as error:
            failure = error
        for each in batch:
            if each.stored.done():
                continue
            if failure is None:
                each.stored.set_result(None)
            else:
                each.stored.set_exception(failure)

    async def _append(self, stream: str, records: list[NewRecord]) -> None:
        """Twice where the first outcome is unknown: an entry that is there twice has one id, and is read once."""
        try:
            await self._streams.append(stream, ANY_VERSION, records)
        except StoreUnavailable:
            await self._streams.append(stream, ANY_VERSION, records)
