"""Takes the snapshots that are due, one after the other, while commands go on."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import stamina
import structlog
from esdbclient import RecordedEvent
from esdbclient.exceptions import EventStoreDBClientException

from infrastructure.aggregates.aggregate import Aggregate, Segment, Snapshot
from infrastructure.aggregates.counts import Counts
from infrastructure.aggregates.segment import StoredSegment, as_stored, segment_event
from infrastructure.aggregates.snapshot import SnapshotRule, Unusable, snapshot_event, snapshot_in
from infrastructure.aggregates.snapshot_checking import checked
from infrastructure.aggregates.snapshot_streams import SnapshotStreams
from infrastructure.aggregates.volumes import to_store
from infrastructure.eventstore.errors import EventStoreError, RaceLost

_CLOSING_SECONDS: Final = 2.0  # of the ten that the supervisor leaves to a process
_FAILURES: Final = (EventStoreError, EventStoreDBClientException, ValueError)
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """What an aggregate was when its snapshot was due, and its segments that may not have been stored yet."""

    aggregate: Aggregate[Any]
    snapshot: Snapshot
    segments: tuple[Segment, ...]
    rule: SnapshotRule


class Taking:
    """A queue with at most one place for a stream, and a task that lives while there is something in it."""

    def __init__(self, stored: SnapshotStreams, counts: Counts, limit: int) -> None:
        self._stored: Final = stored
        self._counts: Final = counts
        self._limit: Final = limit
        self._waiting: Final[dict[str, Due]] = {}
        self._task: asyncio.Task[None] | None = None
        self._racing: Final = stamina.AsyncRetryingCaller(attempts=5, timeout=None, wait_initial=0.005, wait_max=0.1)

    def put(self, due: Due) -> bool:
        """Puts it into the queue, in the place of an older one of its stream; False where the queue is full."""
        stream = due.snapshot.stream
        if len(self._waiting) >= self._limit and stream not in self._waiting:
            return False
        self._waiting[stream] = due
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._take_all())
        return True

    async def close(self) -> None:
        """Waits some seconds until nothing is in the queue; what is left then is given up."""
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=_CLOSING_SECONDS)
        if not self._task.done():
            _log.warning("snapshots_given_up", waiting=len(self._waiting))
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _take_all(self) -> None:
        while self._waiting:
            due = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self.take(due)
            except _FAILURES as error:
                self._counts.failed += 1
                version, reason = due.snapshot.version, f"{type(error).__name__}: {error}"
                _log.warning("snapshot_failed", stream=due.snapshot.stream, version=version, reason=reason)

    async def take(self, due: Due) -> None:
        """Stores the segments, and then the snapshot that counts on them, where that was not done before.

        Raises StoreUnavailable, RaceLost, StreamGone, AppendRefused; ValueError where a state can't be stored.
        """
        await self._racing(RaceLost, self._take, due)

    async def retake(self, due: Due) -> None:
        """The same, whatever snapshot stands there already."""
        await self._racing(RaceLost, self._store, due)

    async def _take(self, due: Due) -> None:
        if due.segments:
            await self._store_segments(due)
        newest = await self._stored.newest(due.snapshot.stream)
        if newest is None or not await self._is_as_good(newest, due):
            await self._store_snapshot(due, newest)

    async def _store(self, due: Due) -> None:
        await self._store_segments(due)
        await self._store_snapshot(due, await self._stored.newest(due.snapshot.stream))

    async def _store_snapshot(self, due: Due, newest: RecordedEvent | None) -> None:
        await self._stored.add_snapshot(due.snapshot.stream, snapshot_event(due.snapshot, due.rule), newest)
        self._counts.taken += 1

    async def _store_segments(self, due: Due) -> None:
        """Those that are not stored just so."""
        stream, aggregate, wanted = due.snapshot.stream, due.aggregate, list[StoredSegment]()
        for segment in due.segments:
            record = await self._stored.record(stream, segment.last_version)
            if record is None:
                raise ValueError(f"{stream} does not hold version {segment.last_version} any more")
            wanted.append(as_stored(segment, record.id, due.rule))
        missing = await to_store(self._stored, stream, wanted)
        await self._stored.add_segments(stream, [segment_event(stream, segment) for segment in missing])
        written = {id(segment) for segment in due.segments}
        aggregate.unsaved = [segment for segment in aggregate.unsaved if id(segment) not in written]

    async def _is_as_good(self, newest: RecordedEvent, due: Due) -> bool:
        """Whether a snapshot is at least as new, and of use; nothing is read for one that is older."""
        stream = due.snapshot.stream
        try:
            if snapshot_in(newest, stream, due.rule).version < due.snapshot.version:
                return False
            await checked(self._stored, newest, stream, due.rule)
        except Unusable:
            return False
        return True
