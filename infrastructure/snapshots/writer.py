"""Takes the snapshots that are due, one after the other, in a background task."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import stamina
import structlog

from infrastructure.aggregates.aggregate import Aggregate, Segment, Snapshot
from infrastructure.command_counts import CommandCounts
from infrastructure.eventstore.errors import EventStoreError, WrongExpectedVersion
from infrastructure.eventstore.record import Record
from infrastructure.outages import Outages
from infrastructure.snapshots.record import snapshot_in, snapshot_record
from infrastructure.snapshots.rule import SnapshotRule, Unusable
from infrastructure.snapshots.segment_index import unstored_segments
from infrastructure.snapshots.segments import StoredSegment, as_stored, segment_record
from infrastructure.snapshots.store import SnapshotStore

_CLOSING_SECONDS: Final = 2.0  # of the ten that the supervisor leaves to a process
_FAILURES: Final = (EventStoreError, ValueError)
_log: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SnapshotJob:
    """An aggregate's snapshot that is due, and its segments that may not be stored yet."""

    aggregate: Aggregate[Any]
    snapshot: Snapshot
    segments: tuple[Segment, ...]
    rule: SnapshotRule


class SnapshotWriter:
    """A queue with at most one job for a stream, and a task that runs while it is not empty."""

    def __init__(
        self, stored: SnapshotStore, counts: CommandCounts, limit: int, outages: Outages | None = None
    ) -> None:
        self._stored: Final = stored
        self._counts: Final = counts
        self._limit: Final = limit
        self._outages: Final = outages
        self._waiting: Final[dict[str, SnapshotJob]] = {}
        self._task: asyncio.Task[None] | None = None
        self._racing: Final = stamina.AsyncRetryingCaller(attempts=5, timeout=None, wait_initial=0.005, wait_max=0.1)

    def put(self, job: SnapshotJob) -> bool:
        """Queues a job, in the place of an older one of its stream; False where the queue is full."""
        stream = job.snapshot.stream
        if len(self._waiting) >= self._limit and stream not in self._waiting:
            return False
        self._waiting[stream] = job
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._take_all())
        return True

    async def close(self) -> None:
        """Waits some seconds for the queue to become empty; the jobs that are left are dropped."""
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=_CLOSING_SECONDS)
        if not self._task.done():
            _log.warning("snapshots_given_up", waiting=len(self._waiting))
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _take_all(self) -> None:
        while self._waiting:
            job = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self.take(job)
            except _FAILURES as error:
                self._counts.snapshots.labels("failed").inc()
                if self._outages is None or not self._outages.met("snapshots", error):
                    version, reason = job.snapshot.version, f"{type(error).__name__}: {error}"
                    _log.warning("snapshot_failed", stream=job.snapshot.stream, version=version, reason=reason)

    async def take(self, job: SnapshotJob) -> None:
        """Stores the segments and then the snapshot that needs them, unless they are stored already.

        Raises StoreUnavailable, WrongExpectedVersion, StreamGone, AppendRefused, EventTooLarge, Overloaded;
        ValueError for a state that can't be stored.
        """
        await self._racing(WrongExpectedVersion, self._take, job)

    async def retake(self, job: SnapshotJob) -> None:
        """The same, but the snapshot is stored whatever the newest one is."""
        await self._racing(WrongExpectedVersion, self._store, job)

    async def _take(self, job: SnapshotJob) -> None:
        if job.segments:
            await self._store_segments(job)
        newest = await self._stored.newest(job.snapshot.stream)
        if newest is None or not await self._makes_superfluous(newest, job):
            await self._store_snapshot(job, newest)

    async def _store(self, job: SnapshotJob) -> None:
        await self._store_segments(job)
        await self._store_snapshot(job, await self._stored.newest(job.snapshot.stream))

    async def _store_snapshot(self, job: SnapshotJob, newest: Record | None) -> None:
        await self._stored.add_snapshot(job.snapshot.stream, snapshot_record(job.snapshot, job.rule), newest)
        self._counts.snapshots.labels("taken").inc()

    async def _store_segments(self, job: SnapshotJob) -> None:
        """Stores the segments that are not stored with the same content."""
        stream, aggregate, wanted = job.snapshot.stream, job.aggregate, list[StoredSegment]()
        for segment in job.segments:
            record = await self._stored.record(stream, segment.last_version)
            if record is None:
                raise ValueError(f"{stream} no longer holds version {segment.last_version}")
            wanted.append(as_stored(segment, record.id, job.rule))
        missing = await unstored_segments(self._stored.segments(stream), stream, wanted)
        await self._stored.add_segments(stream, [segment_record(stream, segment) for segment in missing])
        written = {id(segment) for segment in job.segments}
        aggregate.unsaved = [segment for segment in aggregate.unsaved if id(segment) not in written]

    async def _makes_superfluous(self, newest: Record, job: SnapshotJob) -> bool:
        """Whether the newest snapshot is at least as new as the job's, and usable; for an older one nothing is read."""
        stream = job.snapshot.stream
        try:
            if snapshot_in(newest, stream, job.rule).version < job.snapshot.version:
                return False
            await self._stored.checked(newest, stream, job.rule)
        except Unusable:
            return False
        return True
