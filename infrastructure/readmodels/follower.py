"""Follows the log for one partition of one generation, until it is told to stop; fails and recovers alone."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias

import redis
import structlog

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.outages import Outages
from infrastructure.readmodels.commit import MENDING_SECONDS, ROWS_HELD, Partition
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.errors import (
    CheckpointMoved,
    CheckpointUnusable,
    GenerationLeft,
    ReadModelError,
    StoreReplaced,
)
from infrastructure.readmodels.generations import Generation, Generations
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.same_log import require_same_log
from infrastructure.readmodels.status import HEARTBEAT, Failure, State, Status, now, report, worker_name
from infrastructure.readmodels.stream_fold import Refolded, StreamFolds
from infrastructure.subscriptions.catch_up import CatchUp, ReadRecord
from infrastructure.subscriptions.frames import Batch
from infrastructure.subscriptions.policy import Retry, back_off
from projections.projection import Projection, RowT

FollowerKey: TypeAlias = tuple[str, int, int]
"""A projection's name, and the numbers of a generation and a partition of it."""
_logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where events come from and rows go to, the namespace, and the number of partitions.

    `skip_unreadable` are the names of the projections that skip what can't be read; the others stop there. `reports`
    has the last report of each partition that this process follows, `outages` what it finds of the servers.
    """

    eventstore_uri: str
    redis_uri: str
    namespace: str
    partitions: int
    codec: EventCodec
    skip_unreadable: frozenset[str] = frozenset()
    reports: dict[FollowerKey, Status] = field(default_factory=dict, compare=False)
    outages: Outages = field(default_factory=Outages, compare=False)


def on_failure(error: Exception, failures: int) -> Retry:
    """Everything is tried again: a lost race soon, a store or Redis that is away within seconds, an event that can't
    be folded at growing intervals, until there is a release that can (docs/adr/0008)."""
    match error:
        case CheckpointMoved():
            return Retry(back_off(failures, first=0.05, longest=4.0))
        case StoreUnavailable() | redis.RedisError():
            return Retry(back_off(failures, first=0.1, longest=3.0))
        case _:
            return Retry(back_off(failures, first=0.5, longest=30.0))


class _Stopped(Exception):
    """Nothing more is begun."""


class Follower(Generic[RowT]):
    """Runs in a thread of its own; `run` returns soon after `stop` is set.

    `reconsider` is called when the generations have to be decided on again: this partition has caught up, or its
    generation can't be followed.
    """

    def __init__(
        self,
        deployment: Deployment,
        projection: Projection[RowT],
        generation: Generation,
        partition: int,
        stop: threading.Event,
        reconsider: Callable[[], None],
    ) -> None:
        self._deployment = deployment
        self._projection = projection
        self._generation = generation
        self._number = partition
        self._stop = stop
        self._reconsider = reconsider
        self._redis = connect(deployment.redis_uri)
        self._generations = Generations(self._redis, deployment.namespace, projection.name)
        self._keys = self._generations.keys(generation, partition)
        rows_held = ROWS_HELD // generation.partitions
        self._streams = StreamFolds(deployment.eventstore_uri, projection, self._read())
        self._partition = Partition(self._redis, projection, self._keys, generation.store, rows_held, self._refold)
        self._pattern = partition_pattern(projection.category, partition, generation.partitions)
        self._logger = _logger.bind(projection=projection.name, generation=generation.number, partition=partition)
        self._state: State = "starting"
        self._failure: Failure | None = None
        self._progress = False  # since the subscription began
        self._reported = 0.0
        self._key: FollowerKey = (projection.name, generation.number, partition)
        self._party = f"{projection.name} {generation.number} p{partition}"

    def run(self) -> None:
        """Follows, again after every failure. A batch in hand is committed or dropped whole when it is stopped."""
        while not self._stop.is_set():
            self._progress = False
            try:
                self._follow()
            except _Stopped:
                break
            except Exception as error:  # noqa: BLE001 - the thread's border: shown in log and status, tried again
                self._fail(error)
        self._deployment.reports.pop(self._key, None)
        self._deployment.outages.succeeded(self._party)
        self._redis.close()

    def _follow(self) -> None:
        """One subscription, from the checkpoint until it fails or we are stopped."""
        with open_reader(self._deployment.eventstore_uri) as reader, self._streams:
            after, end = self._begin(reader)
            self._logger.info("projection_started", filter=self._pattern, position=after, end=end)
            self._state = "catching_up"
            with CatchUp(reader, self._pattern, after, self._read()) as frames:
                self.consume(frames.batches(), end, self._require_same_log)

    def _read(self) -> ReadRecord:
        skip = self._projection.name in self._deployment.skip_unreadable
        return reader_of(self._projection, self._deployment.codec, skip_unreadable=skip)

    def _refold(self, aggregate_id: str, until: int) -> Refolded[RowT]:
        """One of the many streams, each of any length, that may have to be folded anew before the next batch."""
        if self._stop.is_set():
            raise _Stopped
        if time.monotonic() - self._reported >= HEARTBEAT:
            self._report()
        return self._streams.fold(aggregate_id, until)

    def consume(
        self, batches: Iterable[Batch], end: int, require_same_log: Callable[[], object] = lambda: None
    ) -> None:
        """Commits batch by batch; `end` is where the log ended when the subscription began.

        `require_same_log` is called before the partition is declared current; what it raises is raised here.
        """
        for batch in batches:
            if self._stop.is_set():
                return
            before = self._partition.position
            caught_up = self._partition.apply(batch)
            self._progress |= self._partition.position != before
            if self._state != "live" and (caught_up or (self._partition.position or 0) >= end):
                require_same_log()
                self._caught_up()
            pause = MENDING_SECONDS if self._partition.mends else HEARTBEAT
            if time.monotonic() - self._reported >= pause:
                self._partition.verify()
                self._report()
                self._deployment.outages.succeeded(self._party)  # a Redis that takes no writes may be read

    def _begin(self, reader: LogReader) -> tuple[int | None, int]:
        """The checkpoint to go on from, and the end of the log. Raises what forbids to go on from there."""
        self._require_same_store(reader)
        if not self._generations.is_followed(self._generation):
            raise GenerationLeft(self._projection.name, f"generation {self._generation.number} is not wanted")
        after = self._partition.load()
        if not self._partition.begun and self._generations.is_live(self._generation):
            raise CheckpointUnusable(self._projection.name, "the checkpoint of a live generation is lost")
        return after, require_same_log(reader, self._projection.name, self._pattern, self._partition.checkpoint)

    def _require_same_store(self, reader: LogReader) -> None:
        found = store_identity(reader)
        if found != self._generation.store:
            raise StoreReplaced(self._projection.name, self._generation.store, found)

    def _require_same_log(self) -> None:
        """Looks over a connection of its own: the subscription may have begun at another store than was checked."""
        with open_reader(self._deployment.eventstore_uri) as reader:
            self._require_same_store(reader)
            require_same_log(reader, self._projection.name, self._pattern, self._partition.checkpoint)

    def _caught_up(self) -> None:
        self._generations.mark_caught_up(self._generation, self._number)
        self._state, failure, self._failure = "live", self._failure, None
        try:
            self._report()
        except redis.RedisError:  # it answers, and takes no writes: that is no success
            self._failure = failure
            raise
        self._logger.info("projection_caught_up", position=self._partition.position)
        self._reconsider()

    def _fail(self, error: Exception) -> None:
        """Reports the failure, calls `reconsider` where only another generation helps, and waits."""
        self._failure = self._failed(error)
        pause = on_failure(error, self._failure.attempts).after
        self._state = "failed"
        if not self._deployment.outages.failed(self._party, error):
            self._logger.warning("projection_failed", retry_after=round(pause, 3), **self._failure.model_dump())
        if isinstance(error, CheckpointUnusable):
            self._give_up_generation()
        if isinstance(error, CheckpointUnusable | GenerationLeft | StoreReplaced):
            self._reconsider()
        self._wait(pause)

    def _give_up_generation(self) -> None:
        try:
            self._generations.retire(self._generation)
        except (redis.RedisError, ReadModelError) as error:  # the checkpoint will be as unusable next time
            if not self._deployment.outages.failed(self._party, error):
                self._logger.warning("generation_not_retired", reason=str(error))

    def _failed(self, error: Exception) -> Failure:
        failure = Failure(
            error=type(error).__name__,
            reason=str(error),
            stream=getattr(error, "stream", None),
            version=getattr(error, "version", None),
            position=getattr(error, "position", None),
        )
        last = self._failure
        if self._progress or last is None or (last.error, last.position) != (failure.error, failure.position):
            return failure
        return failure.model_copy(update={"attempts": last.attempts + 1})

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            try:
                self._report()
            except redis.RedisError:
                self._logger.debug("status_not_reported")
            self._stop.wait(min(left, HEARTBEAT))

    def _report(self) -> None:
        status = Status(
            worker=worker_name(),
            state=self._state,
            position=self._partition.position,
            failure=self._failure,
            at=now(),
        )
        self._deployment.reports[self._key] = status
        report(self._redis, self._keys, status)
        self._reported = time.monotonic()
