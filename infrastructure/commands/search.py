"""Finds old commands in long streams: beside the event loop, each part of a stream once for all who ask."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeAlias
from uuid import UUID

from infrastructure.aggregates.segment_ids import SegmentIds
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.pace import paced
from infrastructure.eventstore.client import CommandClient, address_of
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import Overloaded, StoreUnavailable
from infrastructure.eventstore.log_reader import LogReader, reader_beside
from infrastructure.eventstore.record import Record, RecordHeader

KEPT: Final = 128
"""So many segments' ids stay in memory, 8 MB at most."""
_AT_ONCE: Final = 2
_ATTEMPTS: Final = 2
_SECONDS: Final = 10.0
_Key: TypeAlias = tuple[object, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Versions of one segment of a stream, as it is `remembered`: what was read of another memory proves nothing."""

    stream: str
    remembered: object
    versions: range

    @property
    def key(self) -> _Key:
        return self.remembered, self.versions.start


class SearchNeeded(Exception):
    """More of this part must be read than may be while others wait for their turn."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.stream)
        self.part = part


class CommandSearch:
    """Reads the ids of old commands in threads, two parts at once, at a slow pace, through connections of its own.

    Those who ask for one part share one search, which goes on when they give up. `waiting` may wait.
    """

    def __init__(self, client: CommandClient, codec: EventCodec, counts: CommandCounts, waiting: int) -> None:
        self._counts: Final = counts
        self._client: Final = client
        self._codec: Final = codec
        self._most: Final = waiting
        self._waiting = 0
        self._known: Final[OrderedDict[_Key, SegmentIds]] = OrderedDict()
        self._under_way: Final[dict[_Key, asyncio.Task[None]]] = {}
        self._threads: Final = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="command-search")
        self._idle: Final[list[LogReader]] = []
        self._ended: Final = threading.Event()

    def missing(self, part: Part) -> range:
        """The versions of the part that were not read yet."""
        known = self._known.get(part.key)
        return part.versions if known is None else range(known.end, part.versions.stop)

    def versions_of(self, command_id: UUID, part: Part) -> range:
        """The versions of the part that the command left, as far as it was read."""
        self._known.move_to_end(part.key)
        return self._known[part.key].versions_of(command_id)

    def take(self, part: Part, records: Iterable[Record]) -> None:
        """Adds the missing versions, which somebody has read. Raises UnreadableEvent."""
        self._add(part, self._ids_in(records, self.missing(part)))

    async def read(self, part: Part) -> None:
        """Returns when the whole part was read. Raises Overloaded, StoreUnavailable, StreamGone, UnreadableEvent."""
        if self._waiting >= self._most:
            raise Overloaded(part.stream, self._waiting)
        self._waiting += 1
        try:
            while self.missing(part):
                await asyncio.shield(self._under_way.get(part.key) or self._begin(part))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends what is under way at its next record, and the connections."""
        self._ended.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for task in self._under_way.values():
            task.cancel()
        while self._idle:
            self._idle.pop().close()

    def _begin(self, part: Part) -> asyncio.Task[None]:
        task = asyncio.create_task(self._search(part), name=f"search {part.stream}")
        self._under_way[part.key] = task
        task.add_done_callback(lambda done: self._end(part, done))
        return task

    def _end(self, part: Part, task: asyncio.Task[None]) -> None:
        del self._under_way[part.key]
        if not task.cancelled():
            task.exception()  # whoever still waits has got it

    async def _search(self, part: Part) -> None:
        self._counts.searches += 1
        loop, missing = asyncio.get_running_loop(), self.missing(part)
        self._add(part, await loop.run_in_executor(self._threads, self._read, part.stream, missing))

    def _add(self, part: Part, read: SegmentIds) -> None:
        self._known.setdefault(part.key, SegmentIds(part.versions.start)).add(read)
        self._known.move_to_end(part.key)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _read(self, stream: str, versions: range) -> SegmentIds:
        """In a thread. A connection that was closed meanwhile is opened again, once."""
        ends = monotonic() + _SECONDS
        for _ in range(_ATTEMPTS - 1):
            with suppress(StoreUnavailable):
                return self._read_once(stream, versions, ends)
        return self._read_once(stream, versions, ends)

    def _read_once(self, stream: str, versions: range, ends: float) -> SegmentIds:
        reader = self._idle.pop() if self._idle else reader_beside(self._client)
        try:
            hurried = reader.hurried(lambda: self._seconds_until(ends))
            headers = hurried.headers(stream, versions.start, len(versions))
            ids = self._ids_in(paced(headers, self._ended.wait), versions)
        except BaseException:
            reader.close()
            raise
        self._idle.append(reader)
        return ids

    def _ids_in(self, records: Iterable[Record | RecordHeader], versions: range) -> SegmentIds:
        ids = SegmentIds(versions.start)
        for record in records:
            if record.version >= versions.stop:
                break
            if self._ended.is_set():
                raise self._too_late()
            ids.put(record.version, self._codec.command_id_in(record))
        ids.extend_to(versions.stop)
        return ids

    def _seconds_until(self, ends: float) -> float:
        left = ends - monotonic()
        if left <= 0 or self._ended.is_set():
            raise self._too_late()
        return left

    def _too_late(self) -> StoreUnavailable:
        return StoreUnavailable(address_of(self._client), "searching a stream took longer than it may")
