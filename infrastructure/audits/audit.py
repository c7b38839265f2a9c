"""Compares the live generation of a projection with what the log comes to, and mends it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Generic

from infrastructure.audits.audited_folds import AuditedFolds
from infrastructure.audits.findings import Findings
from infrastructure.audits.partition_audit import PartitionAudit
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.stream_patterns import partition_of
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import live_in
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.record_reader import reader_of
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.stream_fold import StreamFolds
from projections.projection import Projection, RowT


class Audit(Generic[RowT]):
    """Of all partitions of one generation, one after the other."""

    def __init__(self, generation: Generation, partitions: list[PartitionAudit[RowT]]) -> None:
        self.generation = generation
        self._partitions = partitions

    def run(self, findings: Findings, sample: int | None, looked: Callable[[int], object]) -> None:
        """Looks at about so many streams, None: at everything; tells `looked` how many it has looked at.

        Raises ReadModelError, StoreUnavailable, RedisError.
        """
        share = None if sample is None else -(-sample // len(self._partitions))
        for partition in self._partitions:
            partition.run(findings, share, looked)

    def repair(self, findings: Findings) -> None:
        """Mends what was found, as it is by now; raises as `run` does."""
        for partition in self._partitions:
            partition.repair(findings)

    def mend(self, row_key: str) -> str:
        """Folds one stream again: `repaired`, `is right`, or why neither can be said; raises as `run` does."""
        return self._partitions[partition_of(row_key, self.generation.partitions)].mend(row_key)


@contextmanager
def audit_of(projection: Projection[RowT], deployment: Deployment) -> Iterator[Audit[RowT]]:
    """That of a projection, on connections of its own.

    Raises ReadModelUnavailable where there is no generation to be read of this version, and NewerFormat, RedisError,
    StoreUnavailable.
    """
    skip = projection.name in deployment.skip_unreadable
    read = reader_of(projection, deployment.codec)
    with ExitStack() as stack:
        generation = _live(projection, deployment)
        reader = stack.enter_context(open_reader(deployment.eventstore_uri))
        folds = stack.enter_context(StreamFolds(deployment.eventstore_uri, projection, read, skip_unreadable=skip))
        skips = SkipWatch(deployment)
        stack.callback(skips.close)
        audited = AuditedFolds(projection, folds, skips)
        partitions = [
            _partition(projection, deployment, generation, number, (audited, reader, stack))
            for number in range(generation.partitions)
        ]
        yield Audit(generation, partitions)


def _partition(
    projection: Projection[RowT],
    deployment: Deployment,
    generation: Generation,
    number: int,
    shared: tuple[AuditedFolds[RowT], LogReader, ExitStack],
) -> PartitionAudit[RowT]:
    folds, reader, stack = shared
    of_projection = ProjectionKeys(deployment.namespace, projection.name, projection.version)
    keys = replace(of_projection.partition(generation.number, number), partitions=generation.partitions)
    connection = stack.enter_context(connect(deployment.redis_uri, keys.checkpoint))
    made = PartitionAudit(connection, projection, keys, generation.store, folds, reader)
    stack.callback(made.close)
    return made


def _live(projection: Projection[RowT], deployment: Deployment) -> Generation:
    keys = ProjectionKeys(deployment.namespace, projection.name, projection.version)
    with connect(deployment.redis_uri, keys.live) as connection:
        return live_in(keys, *connection.mget(keys.live))
