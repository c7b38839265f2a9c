"""Builds one partition of a view: folds the records of its span as a worker folds those of a live generation."""

from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Generic

import redis

from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.frames import CaughtUp
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import partition_pattern
from infrastructure.readmodels.commit import ROWS_HELD, Partition
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import CheckpointMoved, CheckpointUnusable, ReadModelError, StoreReplaced
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.record_reader import ReadRecord, View, decoder_of, reader_of
from infrastructure.readmodels.same_log import require_same_log
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.status import HEARTBEAT
from infrastructure.readmodels.stream_fold import StreamFolds
from infrastructure.readmodels.worker_report import WorkerReport
from infrastructure.subscriptions.frames import Frame, Happened, Passed, Undecoded
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.cut import Cut, cut_at_time, versions_at
from infrastructure.views.definition import ViewDefinition
from infrastructure.views.errors import ViewLost
from infrastructure.views.midway import beginning_midway
from infrastructure.views.stored_cut import Side, kept_cut, known_position
from projections.projection import Projection, RowT

_BATCH: Final = 500


def build_partitions(
    deployment: Deployment, projection: Projection[Any], view: ViewDefinition, numbers: Iterable[int]
) -> None:
    """Those of these partitions that are not built yet, one after the other, each from its checkpoint to the end.

    What stops one is reported, too. Raises ViewLost where what was built is not there any more, StoreReplaced,
    TooManyBlocked, StoreUnavailable, RedisError. A stream that can't be folded is blocked, as in a live generation.
    """
    keys = ProjectionKeys(deployment.namespace, projection.name)
    with connect(deployment.redis_uri, keys.live) as connection:
        catalog = ViewCatalog(connection, deployment.namespace, projection.name)
        for number in numbers:
            if number not in catalog.built(view):
                _build(deployment, projection, view, number, catalog)
                catalog.note_built(view, number)


def _build(
    deployment: Deployment, projection: Projection[RowT], view: ViewDefinition, number: int, catalog: ViewCatalog
) -> None:
    folded = projection if view.span.is_whole else beginning_midway(projection)
    try:
        with ExitStack() as stack:
            _PartitionBuild(deployment, folded, view, number, stack).run(catalog)
    except (CheckpointMoved, CheckpointUnusable) as error:
        raise ViewLost(projection.name, f"the view {view.name} can't be gone on with: {error.detail}") from error


class _PartitionBuild(Generic[RowT]):
    """Its connections end with the stack."""

    def __init__(
        self,
        deployment: Deployment,
        projection: Projection[RowT],
        view: ViewDefinition,
        number: int,
        stack: ExitStack,
    ) -> None:
        self._projection: Final = projection
        self._view: Final = view
        self._keys: Final = view.keys(deployment.namespace, number)
        self._pattern: Final = partition_pattern(projection.category, number, view.partitions)
        self._decode: Final = decoder_of([projection], deployment.codec)
        self._record_view: Final = View(projection)
        self._read_own: Final[ReadRecord] = reader_of(projection, deployment.codec)
        self._skips: Final = SkipWatch(deployment)
        stack.callback(self._skips.close)
        self._stack: Final = stack
        self._reader: Final[LogReader] = stack.enter_context(open_reader(deployment.eventstore_uri))
        self._redis: Final[redis.Redis] = stack.enter_context(connect(deployment.redis_uri, self._keys.checkpoint))
        folds = stack.enter_context(StreamFolds(deployment.eventstore_uri, projection, self._read))
        rows_held = ROWS_HELD // view.partitions
        self._partition: Final = Partition(self._redis, projection, self._keys, view.store, rows_held, folds.fold)
        stack.callback(self._partition.close)
        key = (projection.name, view.number, number)
        self._report: Final = WorkerReport(self._redis, self._keys, key, deployment)
        self._report.begun()
        self._from = self._until = Cut(0)

    def run(self, catalog: ViewCatalog) -> None:
        """Raises as `build_partitions`, and CheckpointMoved, CheckpointUnusable."""
        try:
            self._run(catalog)
        except (EventStoreError, ReadModelError) as error:
            self._report.failed(error, progressed=True)
            with suppress(redis.RedisError):
                self._report.send(self._partition.position)
            raise

    def _run(self, catalog: ViewCatalog) -> None:
        if (found := store_identity(self._reader)) != self._view.store:
            raise StoreReplaced(self._projection.name, self._view.store, found)
        self._partition.load()
        require_same_log(self._reader, self._projection.name, self._pattern, self._partition.checkpoint)
        span = self._view.span
        self._from = self._cut("from", span.from_time, span.from_position)
        self._until = self._cut("until", span.as_of, self._view.end)
        self._begin(catalog)
        self._apply_skips()
        with closing(self._frames(self._first())) as frames:
            while some := list(islice(frames, _BATCH)):
                self._fold(some)
                self._tell(len(some))
        self._partition.settle()

    def _begin(self, catalog: ViewCatalog) -> None:
        """Has a checkpoint stored, so that one that is lost later is not taken for none."""
        number = self._keys.partition
        if not self._partition.begun:
            if number in catalog.begun(self._view):
                raise CheckpointUnusable(self._projection.name, "a checkpoint is lost")
            self._partition.apply([CaughtUp()])
        catalog.note_begun(self._view, number)

    def _tell(self, records: int) -> None:
        """Reports once a second: that many more were read."""
        self._report.pace.took(records)
        if self._report.seconds_ago >= HEARTBEAT:
            self._report.send(self._partition.position)

    def _apply_skips(self) -> None:
        """Passes by what operators have skipped by now; what is blocked may be folded then."""
        skips = self._skips.latest(self._projection.name)
        self._partition.apply_skips(skips)
        self._record_view.absent = skips.standing
        self._partition.try_blocked(())

    def _fold(self, frames: Iterable[Happened | Undecoded]) -> None:
        of_span = [frame for frame in frames if self._is_of_span(frame)]
        self._partition.advance(self._record_view.of(of_span, self._partition.position))

    def _is_of_span(self, frame: Happened | Undecoded) -> bool:
        about = frame.events[0] if isinstance(frame, Happened) else frame.record
        return self._has(frame.position, about.stream, about.version)

    def _has(self, position: int, stream: str, version: int) -> bool:
        """Whether that record is of the span."""
        place = (position, stream, version)
        return self._until.covers(*place) and not self._from.covers(*place)

    def _read(self, record: Record) -> Frame:
        """What a record comes to, of a stream that is folded anew; what is not of the span is passed."""
        position = record.position or 0
        if self._has(position, record.stream, record.version):
            return self._read_own(record)
        return Passed(position, record.id)

    def _first(self) -> int | None:
        """From which position on records are read, None: from the beginning."""
        if self._partition.position is not None:
            return self._partition.position
        begin = self._view.span.from_position or self._from.first_later
        return begin if 0 < begin <= self._view.end and self._reader.holds(begin) else None

    def _frames(self, first: int | None) -> Generator[Happened | Undecoded, None, None]:
        """Those from there on, up to the first one after which none is of the span."""
        end, until = self._view.end, self._until
        if until.resumed.is_empty:
            end = min(end, until.first_later - 1)
        if self._from.first_later > end:
            return
        with closing(self._reader.messages(self._pattern, first=first)) as messages:
            for frame in map(self._decode, messages):
                if frame.position > end:
                    return
                yield frame

    def _cut(self, side: Side, at: datetime | None, position: int | None) -> Cut:
        if at is None:
            cut = Cut(0 if position is None else position + 1)
        elif self._partition.begun and known_position(self._redis, self._keys, side) is None:
            raise CheckpointUnusable(self._projection.name, "where it is cut is lost")
        else:
            cut = kept_cut(self._redis, self._keys, side, partial(self._find_cut, at))
        self._stack.callback(cut.close)
        return cut

    def _find_cut(self, at: datetime) -> Cut:
        with closing(self._reader.records(self._pattern)) as records, self._reader.beside() as streams:
            return cut_at_time(records, at, self._view.end, versions_at(streams, at))
