"""Answers queries from the read models: rows by key, pages of an index, sums, at a position or later."""

import asyncio
import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from opentelemetry.trace import SpanKind

from domain.stream_name import DEFAULT_TENANT, category_in, row_key, row_key_of, stream_name
from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.log import Log
from infrastructure.readmodels import partition_queries
from infrastructure.readmodels.answers import GroupsAtPosition, IndexPage, RankingAtPosition, RowAtPosition
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.freshness import BeforeWaiting, FreshReads, blocked_refusal, require_unblocked
from infrastructure.readmodels.health import ProjectionHealth, health_of
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import READ_SECONDS, read_live
from infrastructure.readmodels.log_coverage import LogCoverage
from infrastructure.readmodels.partition_queries import Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.pause_readers import PauseReads
from infrastructure.readmodels.pauses import Pauses
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.questions import Freshness, OwnIndex, ReadElsewhere, rows_in, whole
from infrastructure.readmodels.row_effects import name_in
from infrastructure.readmodels.seen_log import SeenLog
from infrastructure.readmodels.servers import Servers
from infrastructure.readmodels.text_order import MemberPage, PageQuery, PartCount
from infrastructure.readmodels.top_search import TopSearch
from infrastructure.readmodels.watches import Watches
from infrastructure.server_calls import ServerCalls
from infrastructure.telemetry.spans import span_below
from projections.projection import Projection, RowT
from projections.row_lists import Range
from projections.sums import Contribution, Counter, Ranked, stored_group

_LEAST_SECONDS: Final = 0.5
"""For all that is asked where nobody waits: it answers soon, unless a server is silent."""


class ReadModels:
    """The read models of one namespace, as one tenant may see them. Nothing here writes.

    Every method raises ReadModelUnavailable where there is nothing to read: no generation is complete (none was
    built yet, or Redis was wiped), or Redis does not answer. Those with `at_least` raise ReadModelBehind when the
    read model has not come that far within `wait` seconds, the log does not go that far, or the stream is blocked
    before; ForeignPosition where the token is of another log than the one that `client` finds, and ReadModelUnavailable
    too where the read model is folded from another one. `servers` must not decode replies; `client` should not be the
    commands', whose calls would have to wait for those of queries. A read in Redis may take `read_seconds`,
    however short the wait for a position is. A `listener` that runs saves those who wait for a position from looking
    for it. Reads in Redis are measured by `measured`.
    """

    def __init__(
        self,
        servers: Servers,
        client: CommandClient,
        namespace: str,
        *,
        read_seconds: float = READ_SECONDS,
        listener: CommitListener | None = None,
        measured: ServerCalls | None = None,
    ) -> None:
        self._servers = servers
        self._read_seconds = read_seconds
        self._measured = measured or ServerCalls()
        self._seen = SeenLog(Log(client))
        self._namespace = namespace
        listener = listener or CommitListener(servers, namespace)
        self._watches = Watches(servers, namespace, LogCoverage(self._seen), listener)
        self._pauses = PauseReads(self._seen.log, namespace)
        self._before_waiting: BeforeWaiting | None = None
        self._elsewhere: ReadElsewhere | None = None
        self._tenant = DEFAULT_TENANT

    @property
    def log(self) -> Log:
        """The log that positions are looked up in."""
        return self._seen.log

    def announcing(self, before_waiting: BeforeWaiting) -> "ReadModels":
        """The same read models, for one query that says when it begins to wait for a position."""
        announcing = copy.copy(self)
        announcing._before_waiting = before_waiting
        return announcing

    def reading(self, elsewhere: ReadElsewhere) -> "ReadModels":
        """The same questions, which all but `comes_to` and `health` ask elsewhere; no waiting, and what that raises."""
        reading = copy.copy(self)
        reading._elsewhere = elsewhere
        return reading

    def of_tenant(self, tenant: str) -> "ReadModels":
        """The same questions about what is this tenant's; without it they are about the default tenant's."""
        own = copy.copy(self)
        own._tenant = tenant
        return own

    @property
    def seen(self) -> SeenLog:
        """What is known of the log that positions are looked up in."""
        return self._seen

    async def get(
        self,
        projection: Projection[RowT],
        aggregate_id: str,
        *,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> RowAtPosition[RowT]:
        """The row of one aggregate; of one whose stream is blocked the last good one, before the block.

        Where such a stream has no row, ReadModelBehind is raised whatever `at_least` is: it is not unknown.
        """
        freshness = Freshness(at_least, wait, stream_name(projection.category, aggregate_id, self._tenant))
        key = row_key(self._tenant, aggregate_id)
        [result] = await self._read(projection, partition_queries.rows([key]), freshness)
        [row] = rows_in(projection, result.value)
        if row is None and result.blocked is not None:
            raise blocked_refusal(projection, result, result.blocked, at_least)
        return RowAtPosition(row, result.token)

    async def page(
        self,
        projection: Projection[Any],
        index: str | OwnIndex,
        *,
        limit: int,
        cursor: int | None = None,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> IndexPage:
        """Up to `limit` entries of an index, newest first, from after `cursor`, the `next` of the page before.

        Pages that follow each other are complete and without repetition while new entries come in. What waits behind
        blocks has no entries.
        """
        name, of = (index, None) if isinstance(index, str) else (index.name, index.stream(projection, self._tenant))
        stored, freshness = name_in(projection, self._tenant, name), Freshness(at_least, wait, of)
        query = partition_queries.newest(stored, limit, cursor)
        results = await self._read(projection, query, freshness)
        with whole(projection):
            for result in results:
                partition_queries.require_whole_index(result.value)
        entries, following = partition_queries.merged(name, limit, [result.value for result in results])
        return IndexPage(entries, following, lowest(results))

    async def members(
        self, projection: Projection[Any], page: PageQuery, at_least: PositionToken | None = None, wait: float = 2.0
    ) -> MemberPage:
        """A page of an index that is ordered by the texts of its members; what waits behind blocks has no entries.

        Pages that follow each other are complete and without repetition while members come and go.
        """
        own = replace(page, part=self._own(projection, page.part))
        results = await self._read(projection, own.query(), Freshness(at_least, wait))
        with whole(projection):
            members, following = page.merged([result.value for result in results])
        return MemberPage(members, following, lowest(results))

    async def count(self, projection: Projection[Any], part: PartCount) -> int:
        """How many members a part of an index has; what waits behind blocks has none."""
        own = PartCount(self._own(projection, part.part))
        results = await self._read(projection, own.query(), Freshness(None, 0.0))
        with whole(projection):
            return part.added([result.value for result in results])

    async def rows(self, projection: Projection[RowT], aggregate_ids: Sequence[str]) -> list[RowT | None]:
        """The rows of several aggregates, in the order asked for, None where there is none."""
        if not aggregate_ids:
            return []
        keys = [row_key(self._tenant, aggregate_id) for aggregate_id in aggregate_ids]
        results = await self._read(projection, partition_queries.rows(keys), Freshness(None, 0.0))
        found: dict[str, RowT | None] = {}
        grouped = partition_queries.by_partition(keys, results[0].generation)
        for result in results:
            found.update(zip(grouped[result.partition], rows_in(projection, result.value), strict=True))
        return [found[key] for key in keys]

    async def sums(
        self,
        projection: Projection[Any],
        groups: Sequence[str],
        *,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> GroupsAtPosition:
        """The counters of these groups, each with all its members: sketches, too. What waits behind blocks is not in.

        Each partition's are read at one checkpoint, all groups together.
        """
        names = {self._group(projection, Counter, group): group for group in groups}
        results = await self._read(projection, partition_queries.groups(list(names)), Freshness(at_least, wait))
        with whole(projection):
            found = partition_queries.added(list(names), [result.value for result in results])
        return GroupsAtPosition({names[name]: members for name, members in found.items()}, lowest(results))

    async def ranked(
        self,
        projection: Projection[Any],
        group: str,
        *,
        limit: int,
        at_least: PositionToken | None = None,
        wait: float = 2.0,
    ) -> RankingAtPosition:
        """The `limit` heaviest members of a ranking over all partitions, exactly; each is read at one checkpoint."""
        search = TopSearch(self._group(projection, Ranked, group), limit)
        while True:
            results = await self._read(projection, search.query, Freshness(at_least, wait))
            with whole(projection):
                members = search.take([result.value for result in results])
            if members is not None:
                return RankingAtPosition(members, lowest(results))

    async def comes_to(self, projection: Projection[Any], at_least: PositionToken, wait: float, stream: str) -> bool:
        """Whether all of the read model comes as far within `wait` seconds; False, too, where it can't be read.

        And where the token's record, which is of this stream, waits there behind a block.
        The log holds that record: it is not looked for. All who ask that of one read model at once share what has to
        be read.
        """
        place = replace(at_least, event=None)
        try:
            async with asyncio.timeout(max(wait, _LEAST_SECONDS)):
                read = partial(
                    self._seen.calls.answer, ("checkpoints", projection.name), partial(self._checkpoints, projection)
                )
                results = await FreshReads(read, projection, self._seen, self._watches).read(place, wait)
                if any(result.checkpoint.blocked for result in results):
                    await self._require_unblocked(projection, stream, place)
        except (ReadModelError, TimeoutError):
            return False
        return True

    async def pauses(self) -> Pauses:
        """Which projections are paused, as it was known a second ago or when the event store last answered."""
        return await self._pauses.known()

    async def health(self, projection: Projection[Any]) -> ProjectionHealth:
        """How the projection fares."""
        keys = ProjectionKeys(self._namespace, projection.name, projection.version)
        return await health_of(self._servers, keys, projection.category)

    def _own(self, projection: Projection[Any], part: Range) -> Range:
        """The tenant's part of an index."""
        return replace(part, index=name_in(projection, self._tenant, part.index))

    def _group(self, projection: Projection[Any], kind: type[Contribution], group: str) -> str:
        return stored_group(kind, name_in(projection, self._tenant, group))

    async def _read(
        self, projection: Projection[Any], query: Query, freshness: Freshness
    ) -> Sequence[PartitionResult[Replies]]:
        if self._elsewhere is not None:
            return await self._elsewhere(projection, query, freshness.at_least, freshness.of)
        read = partial(self._read_now, projection, query, freshness.of)
        if freshness.at_least is None:
            return await read()
        reads = FreshReads(read, projection, self._seen, self._watches)
        return await reads.read(freshness.at_least, freshness.wait, self._before_waiting)

    async def _checkpoints(self, projection: Projection[Any]) -> Sequence[PartitionResult[Replies]]:
        return await self._read_now(projection, partition_queries.checkpoints)

    async def _require_unblocked(self, projection: Projection[Any], stream: str, at_least: PositionToken) -> None:
        """Raises ReadModelBehind where the projection folds that stream, and it is blocked before that place."""
        if category_in(stream) != projection.category:
            return
        partition = partition_queries.partition_holding(row_key_of(stream))
        for result in await self._read_now(projection, partition, stream):
            require_unblocked(projection, result, at_least)

    async def _read_now(
        self, projection: Projection[Any], query: Query, of: str | None = None
    ) -> Sequence[PartitionResult[Replies]]:
        keys = ProjectionKeys(self._namespace, projection.name, projection.version)
        with span_below(f"read {projection.name}", kind=SpanKind.CLIENT), self._measured.measured("query"):
            return await read_live(self._servers, keys, query, self._read_seconds, of=of)
