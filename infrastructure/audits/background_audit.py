"""Audits the partitions that this process follows, in the background: slowly, round and round."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any, Final

import redis
import structlog

from infrastructure.audits.audit_progress import load_progress, store_progress
from infrastructure.audits.audit_round import AuditRound
from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.keys import PartitionId, ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.stream_fold import StreamFolds
from infrastructure.subscriptions.policy import back_off
from projections.projection import Projection

_SECONDS_A_STREAM: Final = 0.01
"""So long a look may take on average: with one stream a second, a hundredth of the time."""
_TURNS_A_SECOND: Final = 5
_IDLE: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_END_SECONDS: Final = 1.0
_PARTY: Final = "audit"
_logger = structlog.get_logger()


def pause_after(streams: int, seconds: float, rate: int) -> float:
    """Seconds to wait after a turn that looked at so many streams within so many seconds, at so many streams a second.

    Where they took long, it is as if there had been more of them.
    """
    return max(streams, seconds / _SECONDS_A_STREAM) / rate


@contextmanager
def auditing(projections: Sequence[Projection[Any]], deployment: Deployment, rate: int) -> Iterator[None]:
    """While it is entered, so many streams a second are looked at; none at all where that is 0."""
    stop = threading.Event()
    audit = BackgroundAudit(projections, deployment, rate, stop)
    thread = threading.Thread(target=audit.run, name=_PARTY, daemon=True)
    if rate:
        _logger.info("background_audit_started", streams_a_second=rate)
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if rate:
            thread.join(_END_SECONDS)


class BackgroundAudit:
    """Takes turns at the live partitions that are followed here, in a thread and on connections of its own.

    What it finds goes into the deployment's `audits`, which the followers report. Every other turn is of a partition
    with streams that differ, as long as there are any: that they are right again is seen soon.
    """

    def __init__(
        self, projections: Sequence[Projection[Any]], deployment: Deployment, rate: int, stop: threading.Event
    ) -> None:
        self._projections: Final = {projection.name: projection for projection in projections}
        self._deployment: Final = deployment
        self._rate: Final = rate
        self._stop: Final = stop
        self._connections: Final = ExitStack()
        self._reader: LogReader | None = None
        self._skips: Final = SkipWatch(deployment)
        self._folds: Final[dict[str, AuditedFolds[Any]]] = {}
        self._turns = 0
        self._last: Final[dict[bool, PartitionId]] = {}
        self._failures = 0
        self._told: Final[dict[PartitionId, str]] = {}  # why partitions could not be looked at the last time

    def run(self) -> None:
        """Until `stop` is set."""
        with closing(self._skips), self._connections:
            while not self._stop.is_set():
                self._stop.wait(self._turn())

    def _turn(self) -> float:
        """Looks at some streams of one partition; for how many seconds to wait then."""
        began = time.monotonic()
        partition = self._next()
        if partition is None:
            return _IDLE
        streams = -(-self._rate // _TURNS_A_SECOND)
        try:
            self._look(partition, streams)
        except (redis.RedisError, EventStoreError, ReadModelError) as error:
            return self._failed(partition, error)
        self._failures = 0
        self._told.pop(partition, None)
        return pause_after(streams, time.monotonic() - began, self._rate)

    def _next(self) -> PartitionId | None:
        """The partition whose turn it is; None where none is live. Forgets those that are followed here no more."""
        reports, audits = dict(self._deployment.reports), self._deployment.audits
        for gone in audits.keys() - reports.keys():
            del audits[gone]
        live = sorted(each for each, status in reports.items() if status.state == "live")
        differing = [each for each in live if each in audits and audits[each].differing]
        self._turns += 1
        is_extra = bool(differing) and self._turns % 2 == 0
        among, last = differing if is_extra else live, self._last.get(is_extra)
        following = [each for each in among if last is None or each > last] or among
        if not following:
            return None
        self._last[is_extra] = following[0]
        return following[0]

    def _look(self, partition: PartitionId, streams: int) -> None:
        name, number, place = partition
        projection, deployment = self._projections[name], self._deployment
        of_projection = ProjectionKeys(deployment.namespace, name, projection.version)
        keys = of_projection.partition(number, place)
        with connect(deployment.redis_uri, of_projection.live) as connection:
            generation = Generation.from_json(connection.get(of_projection.live))
        if generation is None or (generation.number, generation.version) != (number, projection.version):
            return
        keys = replace(keys, partitions=generation.partitions)
        with ExitStack() as stack:
            connection = stack.enter_context(connect(deployment.redis_uri, keys.checkpoint))
            audit = AuditRound(connection, projection, keys, generation.store, *self._log_of(projection))
            stack.callback(audit.close)
            progress = audit.go_on(load_progress(connection, keys), streams)
            store_progress(connection, keys, progress)
        deployment.audits[partition] = progress.report(projection.category)

    def _log_of(self, projection: Projection[Any]) -> tuple[AuditedFolds[Any], LogReader]:
        """Connections that are kept. Raises StoreUnavailable."""
        uri = self._deployment.eventstore_uri
        if self._reader is None:
            self._reader = self._connections.enter_context(open_reader(uri))
        if projection.name not in self._folds:
            skip = projection.name in self._deployment.skip_unreadable
            read = reader_of(projection, self._deployment.codec)
            folds = self._connections.enter_context(StreamFolds(uri, projection, read, skip_unreadable=skip))
            self._folds[projection.name] = AuditedFolds(projection, folds, self._skips)
        return self._folds[projection.name], self._reader

    def _failed(self, partition: PartitionId, error: Exception) -> float:
        """Connects anew the next time. What it misses of the servers is told as by all, any other reason once."""
        self._connections.close()
        self._skips.close()
        self._folds.clear()
        self._reader = None
        self._failures += 1
        reason = str(error)
        if not self._deployment.outages.met(_PARTY, error) and self._told.get(partition) != reason:
            self._told[partition] = reason
            name, generation, number = partition
            told = {"projection": name, "generation": generation, "partition": number}
            _logger.warning("background_audit_failed", reason=reason, **told)
        return back_off(self._failures, first=_IDLE, longest=_LONGEST_WAIT)
