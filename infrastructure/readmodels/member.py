"""One partition of one generation of a projection, as it is followed: it begins, takes batches, fails, reports."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Generic, NamedTuple

import redis
import structlog

from domain.value import changed
from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.commit import MENDING_SECONDS, ROWS_HELD, Partition
from infrastructure.readmodels.commit_spans import CommitSpans
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import (
    CheckpointMoved,
    CheckpointUnusable,
    GenerationLeft,
    ReadModelError,
    StoreReplaced,
)
from infrastructure.readmodels.generations import generations_of
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.record_reader import View, reader_of
from infrastructure.readmodels.retries import take_retries
from infrastructure.readmodels.same_log import require_same_log
from infrastructure.readmodels.setting_skips import SettingSkips
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.status import HEARTBEAT
from infrastructure.readmodels.stream_fold import Part, Refolded, StreamFolds
from infrastructure.readmodels.worker_report import WorkerReport
from infrastructure.subscriptions.frames import Frame, Happened, Passed, SharedFrame, Unreadable
from infrastructure.subscriptions.policy import Retry, back_off
from projections.projection import Projection, RowT

_VERIFIED_IN_HISTORY: Final = 10.0  # seconds from one look to the next
_logger = structlog.get_logger()


class Share(NamedTuple):
    """What a subscription is for: a category's streams in one of so many partitions, of one event store.

    Projections of different ranks have subscriptions of their own, since one may have to wait for the other.
    """

    category: str
    partition: int
    partitions: int
    store: str
    rank: int


def share_of(projection: Projection[Any], generation: Generation, partition: int, rank: int) -> Share:
    """What a partition of that generation reads."""
    return Share(projection.category, partition, generation.partitions, generation.store, rank)


class Stopped(Exception):
    """Nothing more is begun."""


def on_failure(error: Exception, failures: int) -> Retry:
    """Everything is tried again: a lost race soon, a store or Redis that is away within seconds, anything else at
    growing intervals (docs/adr/0034)."""
    match error:
        case CheckpointMoved():
            return Retry(back_off(failures, first=0.05, longest=4.0))
        case StoreUnavailable() | redis.RedisError():
            return Retry(back_off(failures, first=0.1, longest=3.0))
        case _:
            return Retry(back_off(failures, first=0.5, longest=30.0))


class Member(Generic[RowT]):
    """Used by one thread at a time: that of the follower that it belongs to.

    `reconsider` is called when the generations have to be decided on again: this partition has caught up, or its
    generation can't be followed.
    """

    def __init__(
        self,
        deployment: Deployment,
        projection: Projection[RowT],
        generation: Generation,
        partition: int,
        reconsider: Callable[[], None],
        skips: SkipWatch,
    ) -> None:
        self.key: Final[PartitionId] = (projection.name, generation.number, partition)
        self.share: Final = share_of(projection, generation, partition, deployment.rank_of(projection.name))
        self.projection: Final = projection
        self.generation: Final = generation
        self._deployment: Final = deployment
        self._reconsider: Final = reconsider
        self._generations: Final = generations_of(projection, deployment)
        self._keys: Final = self._generations.keys(generation, partition)
        self._redis: Final = connect(deployment.redis_uri, self._keys.checkpoint)
        self._skips: Final = skips
        self._setting: Final = SettingSkips(deployment, projection.name, skips)
        self._view: Final = View(projection)
        read = reader_of(projection, deployment.codec)
        self._streams: Final = StreamFolds(deployment.eventstore_uri, projection, read)
        rows_held = ROWS_HELD // generation.partitions
        self._partition: Final = Partition(
            self._redis, projection, self._keys, generation.store, rows_held, self._refold
        )
        self._pattern: Final = partition_pattern(projection.category, partition, generation.partitions)
        self._logger: Final = _logger.bind(
            projection=projection.name, generation=generation.number, partition=partition
        )
        self._stop = threading.Event()
        self._report: Final = WorkerReport(self._redis, self._keys, self.key, deployment)
        self._verified = -_VERIFIED_IN_HISTORY  # when what is stored was last looked at
        self._progress = False  # since it began
        self._spans: Final = CommitSpans(projection, partition)
        deployment.folds.begin(projection.name)
        self._party: Final = f"{projection.name} {generation.number} p{partition}"

    @property
    def position(self) -> int | None:
        """Up to where it is folded, None before the first record of interest."""
        return self._partition.position

    def live_for(self) -> float:
        """For how many seconds it has been at the end of the log without a failure; 0 where it is not there."""
        return self._report.seconds_live

    def begin(self, reader: LogReader, stop: threading.Event) -> int:
        """Loads its checkpoint; the end of the log. Raises what forbids to go on from there.

        What takes long is given up when `stop` is set: it then raises Stopped.
        """
        self._stop, self._progress = stop, False
        self._require_same_store(reader)
        if not self._generations.is_followed(self.generation):
            raise GenerationLeft(self.projection.name, self.generation.number)
        after = self._partition.load()
        if not self._partition.begun and self._generations.is_live(self.generation):
            raise CheckpointUnusable(self.projection.name, "the checkpoint of a live generation is lost")
        end = require_same_log(reader, self.projection.name, self._pattern, self._partition.checkpoint)
        self._apply_skips()
        self._try_blocked(())
        self._partition.announces = self._deployment.announcements.begin(self._redis, self._keys, after)
        self._logger.info("projection_started", filter=self._pattern, position=after, end=end)
        self._report.begun()
        return end

    def take(
        self, frames: Sequence[SharedFrame], end: int, require_same_log: Callable[[], object] | None = None
    ) -> None:
        """Commits what they add to the checkpoint; `end` is where the log ended when the subscription began.

        `require_same_log` is called before the partition is declared current; what it raises is raised here.
        """
        own = self._view.of(frames, self.position)
        if skipped := self._setting.skip_unreadable(own, self._partition.blocks):
            self._partition.streams.left_out.update(skipped)
            self._apply_skips()
            own = self._view.of(frames, self.position)  # others may have skipped something meanwhile
        at_end = self._fold(own, end)
        if at_end and not self._report.is_live:
            (require_same_log or self._require_same_log)()
            self._caught_up()
        pause = MENDING_SECONDS if self._partition.mends else HEARTBEAT
        if self._report.seconds_ago >= pause:
            self._look_after_streams()
            self._verify()
            self._report.send(self.position)
            self._deployment.outages.succeeded(self._party)  # a Redis that takes no writes may be read

    def _fold(self, frames: Sequence[Frame], end: int) -> bool:
        """Whether it has come to the end; only then the batch is committed at once."""
        before = self._partition.position
        is_live = self._report.is_live
        if is_live:
            self._spans.begin(frames, before)
        with self._deployment.folds.measured(self.projection.name) as batch:
            caught_up = self._partition.advance(frames, live=is_live)
            batch.events = sum(isinstance(frame, Happened | Passed | Unreadable) for frame in frames)
            self._report.pace.took(batch.events)
            self._progress |= self._partition.position != before
            at_end = caught_up or (self._partition.position or 0) >= end
            if at_end or is_live:
                self._partition.settle()  # else while the next batch is folded
                self._spans.end(self._partition.blocks)
        return at_end

    def _apply_skips(self) -> None:
        """Raises CheckpointUnusable where more are applied than the log holds: it went back to an older copy."""
        name, applied = self.projection.name, self._partition.streams.applied
        skips = self._skips.of(name)
        if skips.revision < applied:
            skips = self._skips.latest(name)
        if skips.revision < applied:
            reason = f"{applied} records of skips are applied, the log holds {skips.revision}"
            raise CheckpointUnusable(name, reason)
        self._partition.apply_skips(skips)
        self._view.absent = skips.standing

    def _try_blocked(self, wanted: Collection[str]) -> None:
        self._partition.try_blocked(wanted)
        if self._partition.streams.left_out:
            self._apply_skips()

    def _look_after_streams(self) -> None:
        """Applies what operators say of events, and tries blocked streams again."""
        self._apply_skips()
        streams = self._partition.streams
        self._try_blocked(take_retries(self._redis, self._keys) if streams.blocks else ())
        self._setting.end(streams.skips, streams.concerns, self._streams, MENDING_SECONDS)

    def _verify(self) -> None:
        """Looks at what is stored: rarely while it catches up, since each commit proves the checkpoint then."""
        seconds = 0.0 if self._report.is_live or self._partition.mends else _VERIFIED_IN_HISTORY
        if time.monotonic() - self._verified >= seconds:
            self._partition.verify()
            self._verified = time.monotonic()

    def fail(self, error: Exception) -> float:
        """Reports the failure, and calls `reconsider` where only another generation helps; seconds to wait."""
        failure = self._report.failed(error, progressed=self._progress)
        pause = on_failure(error, failure.attempts).after
        if not self._deployment.outages.failed(self._party, error):
            self._logger.warning("projection_failed", retry_after=round(pause, 3), **failure.model_dump())
        if isinstance(error, CheckpointUnusable):
            self._give_up_generation()
        if isinstance(error, CheckpointUnusable | GenerationLeft | StoreReplaced):
            self._reconsider()
        return pause

    def rest(self) -> None:
        """Reports that it waits, where Redis takes that."""
        try:
            self._report.send(self.position)
        except redis.RedisError:
            self._logger.debug("status_not_reported")

    def leave(self) -> None:
        """Ends the connection for refolding streams: nothing is taken until it begins again."""
        self._streams.close()

    def end(self) -> None:
        """Nobody follows it here any more."""
        self.leave()
        self._report.end()
        self._deployment.outages.succeeded(self._party)
        self._partition.close()
        self._generations.close()
        self._redis.close()

    def _refold(self, row_key: str, until: int, part: Part) -> Refolded[RowT]:
        """One of the many streams, each of any length, that may have to be folded anew before the next batch."""
        if self._stop.is_set():
            raise Stopped
        if self._report.seconds_ago >= HEARTBEAT:
            self._report.send(self.position)
        found, streams = self._streams.fold(row_key, until, part), self._partition.streams
        while found.block is not None and self._setting.skips(stream := streams.stream_of(row_key), found.block):
            streams.left_out.add((stream, found.block.version))
            part = changed(part, absent=part.absent | {found.block.version})
            found = self._streams.fold(row_key, until, part)
        return found

    def _require_same_store(self, reader: LogReader) -> None:
        found = store_identity(reader)
        if found != self.generation.store:
            raise StoreReplaced(self.projection.name, self.generation.store, found)

    def _require_same_log(self) -> None:
        """Looks over a connection of its own: the subscription may have begun at another store than was checked."""
        with open_reader(self._deployment.eventstore_uri) as reader:
            self._require_same_store(reader)
            require_same_log(reader, self.projection.name, self._pattern, self._partition.checkpoint)

    def _caught_up(self) -> None:
        self._generations.mark_caught_up(self.generation, self.share.partition)
        self._report.live(self.position)
        self._logger.info("projection_caught_up", position=self._partition.position)
        self._reconsider()

    def _give_up_generation(self) -> None:
        try:
            self._generations.retire(self.generation)
        except (redis.RedisError, ReadModelError) as error:  # the checkpoint will be as unusable next time
            if not self._deployment.outages.failed(self._party, error):
                self._logger.warning("generation_not_retired", reason=str(error))
