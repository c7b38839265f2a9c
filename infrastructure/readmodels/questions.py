"""What a read model is asked: how fresh the answer has to be, about which stream, and who is to reply."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from domain.stream_name import DEFAULT_TENANT, stream_name
from infrastructure.readmodels import partition_queries
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.partition_queries import Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.rows import UnreadableRow, codec_of
from projections.projection import Projection, RowT

ReadElsewhere: TypeAlias = Callable[
    [Projection[Any], Query, PositionToken | None, str | None], Awaitable[Sequence[PartitionResult[Replies]]]
]
"""What another than the live generation replies to a query; it has to be as far as the token, where there is one, and
so has the stream that the query is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """An index whose entries are all of one aggregate: the block of its stream is answered as it is for a row."""

    name: str
    aggregate_id: str

    def stream(self, projection: Projection[Any], tenant: str = DEFAULT_TENANT) -> str:
        return stream_name(projection.category, self.aggregate_id, tenant)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the read model has to be, and for how many seconds to wait for that.

    `of` is the stream that is asked about, where it is one: it has to be as far, and not blocked before.
    """

    at_least: PositionToken | None
    wait: float
    of: str | None = None


@contextmanager
def whole(projection: Projection[Any]) -> Iterator[None]:
    """Raises ReadModelUnavailable for what is lost, or can't be read."""
    try:
        yield
    except (UnreadableRow, LookupError, ValueError) as error:
        raise ReadModelUnavailable(projection.name, str(error)) from error


def rows_in(projection: Projection[RowT], replies: Replies) -> list[RowT | None]:
    with whole(projection):
        return [codec_of(projection.row).decode(fields) for fields in partition_queries.row_fields(replies)]
