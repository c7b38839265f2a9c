"""What tests of one partition share: its store, who commits to it, and what they commit."""

from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import redis
from pydantic import PlainSerializer

from domain.message import Recorded
from domain.value import value
from infrastructure.readmodels.commit import Partition
from infrastructure.readmodels.keys import PartitionKeys
from infrastructure.readmodels.stream_fold import Part
from projections.projection import Projection, Row
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


def _no_stream(aggregate_id: str, until: int, part: Part) -> NoReturn:
    raise AssertionError(f"the stream of {aggregate_id} is asked for up to {until}")


def interrupted(when_written: Callable[[int], int]) -> Projection[Any]:
    """Tallies during whose writing something else happens: while a total of theirs is written down."""

    @value
    class Interrupted(Row):
        owner: str
        total: Annotated[int, PlainSerializer(when_written)]
        opened: int
        version: int

    def opened(row: Tally | None, recorded: Recorded[Opened]) -> Interrupted:
        return Interrupted(owner="eve", total=0, opened=recorded.position, version=0)

    return Projection[Any]("tallies", "tally", Interrupted, {**TALLIES.handlers, Opened: opened})
