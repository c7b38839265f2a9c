"""What tests of one partition share: its store, who commits to it, and what they commit."""

from collections.abc import Callable
from typing import NoReturn

import redis

from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.keys import PartitionKeys
from projections.projection import Projection
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, history, tallies

STORE = "store-1"
OPENED_AND_RAISED = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))
MORE = history(("a", Raised(by=4)), ("b", Opened(owner="bob")), first=30)
TALLIES = tallies("tally")
Worker = Callable[[], Partition[Tally]]


def partition_of(
    connection: redis.Redis, keys: PartitionKeys, projection: Projection[Tally] = TALLIES, rows_held: int = 100
) -> Partition[Tally]:
    """A partition that is folded from plain lists: no stream of it can be read."""
    return Partition(connection, projection, keys, STORE, rows_held, _no_stream)


def _no_stream(aggregate_id: str, until: int) -> NoReturn:
    raise AssertionError(f"the stream of {aggregate_id} is asked for up to {until}")
