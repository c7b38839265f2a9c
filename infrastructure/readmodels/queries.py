"""Answers queries from the read models: rows by key, pages of an index, at a position or later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.log import Log
from infrastructure.readmodels import selection
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.eventlog import EventLog
from infrastructure.readmodels.health import ProjectionHealth, health_of
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.partition_result import PartitionResult
from infrastructure.readmodels.rows import UnreadableRow, decode
from infrastructure.readmodels.selection import Answers, Selection
from infrastructure.readmodels.snapshot import READ_SECONDS, read_live
from infrastructure.readmodels.waiting import wait_for
from projections.projection import Entry, Projection, Row, RowT

RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True)
class Read(Generic[RowT_co]):
    """A row, None where there is none, as it is at `position` of the log."""

    row: RowT_co | None
    position: int


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of an index, newest first; `next` is the cursor of what follows, None at the end.

    `position` is that of the partition that is furthest back.
    """

    entries: tuple[Entry, ...]
    next: int | None
    position: int


@dataclass(frozen=True, slots=True)
class _At:
    """How far the read model has to be, and for how many seconds to wait for that."""

    least: int | None
    wait: float


class ReadModels:
    """The read models of one namespace. Nothing here writes.

    Every method raises ReadModelUnavailable where there is nothing to read: no generation is complete (none was
    built yet, or Redis was wiped), or Redis does not answer. Those with `at_least` raise ReadModelBehind when the
    read model has not come that far within `wait` seconds, and ReadModelUnavailable too where it was folded from
    another event store than the one that `client` finds. `connection` must leave answers as bytes; `client` should
    not be the commands', whose calls would have to wait for those of queries.
    """

    def __init__(self, connection: Redis, client: CommandClient, namespace: str) -> None:
        self._redis = connection
        self._log = EventLog(Log(client))
        self._namespace = namespace

    async def get(
        self, projection: Projection[RowT], aggregate_id: str, *, at_least: int | None = None, wait: float = 2.0
    ) -> Read[RowT]:
        """The row of one aggregate."""
        [part] = await self._read(projection, selection.rows([aggregate_id]), _At(at_least, wait))
        return Read(_row(projection, part.value[0]), part.position)

    async def page(
        self,
        projection: Projection[Any],
        index: str,
        *,
        limit: int,
        cursor: int | None = None,
        at_least: int | None = None,
        wait: float = 2.0,
    ) -> Page:
        """Up to `limit` entries of an index, newest first, from after `cursor`, the `next` of the page before.

        Pages that follow each other are complete and without repetition while new entries come in.
        """
        parts = await self._read(projection, selection.newest(index, limit, cursor), _At(at_least, wait))
        entries, following = selection.merged(index, limit, [part.value for part in parts])
        return Page(entries, following, min(part.position for part in parts))

    async def rows(self, projection: Projection[RowT], aggregate_ids: Sequence[str]) -> list[RowT | None]:
        """The rows of several aggregates, in the order asked for, None where there is none."""
        if not aggregate_ids:
            return []
        parts = await self._read(projection, selection.rows(aggregate_ids), _At(None, 0.0))
        found: dict[str, RowT | None] = {}
        grouped = selection.by_partition(aggregate_ids, parts[0].generation)
        for part in parts:
            rows = (_row(projection, fields) for fields in part.value)
            found.update(zip(grouped[part.partition], rows, strict=True))
        return [found[aggregate_id] for aggregate_id in aggregate_ids]

    async def health(self, projection: Projection[Any]) -> ProjectionHealth:
        """How the projection fares."""
        return await health_of(self._redis, ProjectionKeys(self._namespace, projection.name))

    async def _read(self, projection: Projection[Any], asked: Selection, at: _At) -> Sequence[PartitionResult[Answers]]:
        keys = ProjectionKeys(self._namespace, projection.name)

        async def read(seconds: float) -> Sequence[PartitionResult[Answers]]:
            return await read_live(self._redis, keys, asked, seconds)

        if at.least is None:
            return await read(READ_SECONDS)
        return await wait_for(read, self._log, projection, at_least=at.least, wait=at.wait)


def _row(projection: Projection[RowT], fields: dict[bytes, bytes]) -> RowT | None:
    try:
        return decode(projection.row, fields)
    except UnreadableRow as error:
        raise ReadModelUnavailable(projection.name, str(error)) from error
