"""Lets read models begin after a position of the log: what was there before is not the bench's."""

from functools import partial
from typing import Any

from bench.projections.task import NAMESPACE, Task
from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.fence import Fence
from infrastructure.readmodels.generations import Generations
from infrastructure.readmodels.guarded_connection import Transaction
from infrastructure.readmodels.inventory import change_indexes
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Projection


def begin_after(task: Task, position: int) -> None:
    """Stores checkpoints at that position for all partitions of the task's projections, as if they were empty so far.

    A worker then looks in Redis for every row before it writes its first event, as it has not seen the beginning.
    """
    with open_reader(task.eventstore) as reader:
        store = store_identity(reader)
    for projection in task.projections:
        _begin(task, projection, Checkpoint(store, position, rows=0))


def _begin(task: Task, projection: Projection[Any], checkpoint: Checkpoint) -> None:
    with connect(task.redis) as connection:
        generations = Generations(connection, NAMESPACE, projection.name, projection.version)
        generation = generations.decided(task.partitions, checkpoint.store).followed[-1]
        for partition in range(task.partitions):
            keys = PartitionKeys(NAMESPACE, projection.name, generation.number, partition, projection.version)
            fence = Fence(connection, keys, checkpoint.store)
            fence.load()
            fence.move(checkpoint, partial(_count_from_here, keys))
            fence.close()


def _count_from_here(keys: PartitionKeys, transaction: Transaction) -> None:
    """Begins the sizes of indexes, without which they count as lost."""
    change_indexes(transaction, keys, ())
