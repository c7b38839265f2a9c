"""Answers queries from views of the past: as the live generation does, but of one that never goes on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.freshness import require_unblocked
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.live_generation import READ_SECONDS, available, read_generation
from infrastructure.readmodels.log_history import LogHistory
from infrastructure.readmodels.partition_queries import Query, Replies
from infrastructure.readmodels.partition_result import PartitionResult, lowest
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.questions import ReadElsewhere
from infrastructure.readmodels.seen_log import SeenLog
from infrastructure.readmodels.servers import Servers, read_from
from infrastructure.readmodels.slot_reads import read_key
from infrastructure.views.definition import ViewDefinition
from infrastructure.views.errors import UnknownView, ViewIsPast
from projections.projection import Projection


class ViewReads:
    """Of the views of one namespace. Nothing here writes, and nothing waits."""

    def __init__(self, servers: Servers, namespace: str, seen: SeenLog, read_seconds: float = READ_SECONDS) -> None:
        self._servers: Final = servers
        self._namespace: Final = namespace
        self._history: Final = LogHistory(seen)
        self._read_seconds: Final = read_seconds

    def of(self, name: str) -> ReadElsewhere:
        """Reads the view of that name. Raises UnknownView, ViewIsPast, ForeignPosition, ReadModelUnavailable."""
        return partial(self._read, name)

    async def _read(
        self, name: str, projection: Projection[Any], query: Query, at_least: PositionToken | None, of: str | None
    ) -> Sequence[PartitionResult[Replies]]:
        async with available(projection.name, self._read_seconds):
            view, results = await read_from(self._servers, lambda: self._found(name, projection, query, of))
        place = PositionToken(view.position or 0)
        results = [replace(result, later=place) for result in results]
        if at_least is not None:
            await self._require(name, projection, results, at_least)
        return results

    async def _require(
        self, name: str, projection: Projection[Any], results: Sequence[PartitionResult[Any]], at_least: PositionToken
    ) -> None:
        """Raises ForeignPosition, ReadModelUnavailable, ViewIsPast, and ReadModelBehind for a blocked stream."""
        await self._history.require_same(projection, results, at_least)
        if any(result.later is not None and at_least.position > result.later.position for result in results):
            raise ViewIsPast(projection.name, name, lowest(results), at_least)
        for result in results:
            require_unblocked(projection, result, at_least)

    async def _found(
        self, name: str, projection: Projection[Any], query: Query, of: str | None
    ) -> tuple[ViewDefinition, Sequence[PartitionResult[Replies]]]:
        view = await self._view(name, projection)
        keys_of = partial(view.keys, self._namespace)
        results = await read_generation(self._servers, view.generation, keys_of, query, of)
        if results is None:
            await self._view(name, projection)  # dropped meanwhile
            raise ReadModelUnavailable(projection.name, f"the view {name} has lost a checkpoint")
        return view, results

    async def _view(self, name: str, projection: Projection[Any]) -> ViewDefinition:
        """Raises UnknownView where there is none that can be read, and NewerFormat."""
        key = ProjectionKeys(self._namespace, projection.name).view(name)
        view = ViewDefinition.from_json(await read_key(self._servers, key))
        if view is None:
            raise UnknownView(projection.name, name)
        if view.state == "building":
            raise UnknownView(projection.name, name, "it is being built")
        if view.version != projection.version:
            reason = f"the view {name} is of its version {view.version}, this release has version {projection.version}"
            raise ReadModelUnavailable(projection.name, reason, other_version=True)
        return view
