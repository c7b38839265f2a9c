"""Answers queries from the read models: rows by key, pages of an index, at a position or later."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.log import Log
from infrastructure.readmodels import partition_queries
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.freshness import BeforeWaiting, read_fresh
from infrastructure.readmodels.health import ProjectionHealth, health_of
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import READ_SECONDS, read_live
from infrastructure.readmodels.partition_queries import Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.rows import UnreadableRow, decode
from infrastructure.readmodels.seen_log import SeenLog
from projections.projection import Entry, Projection, Row, RowT

RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True)
class RowAtPosition(Generic[RowT_co]):
    """A row, None where there is none, as it is at that place in the log."""

    row: RowT_co | None
    token: PositionToken

    @property
    def position(self) -> int:
        return self.token.position


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Entries of an index, newest first; `next` is the cursor of what follows, None at the end.

    `token` is that of the partition that is furthest back.
    """

    entries: tuple[Entry, ...]
    next: int | None
    token: PositionToken

    @property
    def position(self) -> int:
        return self.token.position


@dataclass(frozen=True, slots=True)
class _Freshness:
    """How far the read model has to be, and for how many seconds to wait for that."""

    at_least: PositionToken | None
    wait: float


class ReadModels:
    """The read models of one namespace. Nothing here writes.

    Every method raises ReadModelUnavailable where there is nothing to read: no generation is complete (none was
    built yet, or Redis was wiped), or Redis does not answer. Those with `at_least` raise ReadModelBehind when the
    read model has not come that far within `wait` seconds or the log does not go that far, ForeignPosition where the
    token is of another log than the one that `client` finds, and ReadModelUnavailable too where the read model is
    folded from another one. `connection` must not decode replies; `client` should
    not be the commands', whose calls would have to wait for those of queries. A read in Redis may take `read_seconds`,
    however short the wait for a position is.
    """

    def __init__(
        self, connection: Redis, client: CommandClient, namespace: str, *, read_seconds: float = READ_SECONDS
    ) -> None:
        self._redis = connection
        self._read_seconds = read_seconds
        self._seen = SeenLog(Log(client))
        self._namespace = namespace
        self._before_waiting: BeforeWaiting | None = None

    def announcing(self, before_waiting: BeforeWaiting) -> "ReadModels":
        """The same read models, for one query that says when it begins to wait for a position."""
        announcing = copy.copy(self)
        announcing._before_waiting = before_waiting
        return announcing

    async def get(
        self,
        projection: Projection[RowT],
        aggregate_id: str,
        *,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> RowAtPosition[RowT]:
        """The row of one aggregate."""
        [result] = await self._read(projection, partition_queries.rows([aggregate_id]), _Freshness(at_least, wait))
        return RowAtPosition(_rows(projection, result.value)[0], result.token)

    async def page(
        self,
        projection: Projection[Any],
        index: str,
        *,
        limit: int,
        cursor: int | None = None,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> IndexPage:
        """Up to `limit` entries of an index, newest first, from after `cursor`, the `next` of the page before.

        Pages that follow each other are complete and without repetition while new entries come in.
        """
        results = await self._read(
            projection, partition_queries.newest(index, limit, cursor), _Freshness(at_least, wait)
        )
        for result in results:
            _require_whole(projection, result.value)
        entries, following = partition_queries.merged(index, limit, [result.value for result in results])
        return IndexPage(entries, following, lowest(results))

    async def rows(self, projection: Projection[RowT], aggregate_ids: Sequence[str]) -> list[RowT | None]:
        """The rows of several aggregates, in the order asked for, None where there is none."""
        if not aggregate_ids:
            return []
        results = await self._read(projection, partition_queries.rows(aggregate_ids), _Freshness(None, 0.0))
        found: dict[str, RowT | None] = {}
        grouped = partition_queries.by_partition(aggregate_ids, results[0].generation)
        for result in results:
            found.update(zip(grouped[result.partition], _rows(projection, result.value), strict=True))
        return [found[aggregate_id] for aggregate_id in aggregate_ids]

    async def health(self, projection: Projection[Any]) -> ProjectionHealth:
        """How the projection fares."""
        return await health_of(self._redis, ProjectionKeys(self._namespace, projection.name))

    async def _read(
        self, projection: Projection[Any], query: Query, freshness: _Freshness
    ) -> Sequence[PartitionResult[Replies]]:
        keys = ProjectionKeys(self._namespace, projection.name)

        async def read() -> Sequence[PartitionResult[Replies]]:
            return await read_live(self._redis, keys, query, self._read_seconds)

        if freshness.at_least is None:
            return await read()
        return await read_fresh(
            read,
            self._seen,
            projection,
            at_least=freshness.at_least,
            wait=freshness.wait,
            before_waiting=self._before_waiting,
        )


def _rows(projection: Projection[RowT], replies: Replies) -> list[RowT | None]:
    try:
        return [decode(projection.row, fields) for fields in partition_queries.row_fields(replies)]
    except (UnreadableRow, LookupError) as error:
        raise ReadModelUnavailable(projection.name, str(error)) from error


def _require_whole(projection: Projection[Any], replies: Replies) -> None:
    try:
        partition_queries.require_whole_index(replies)
    except LookupError as error:
        raise ReadModelUnavailable(projection.name, str(error)) from error
