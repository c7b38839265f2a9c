"""Reads aggregates from their streams: to the end, from a snapshot where there is one, or what one command left."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from domain.message import Recorded
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.commands.search import CommandSearch, Part, SearchNeeded
from infrastructure.eventstore.errors import WrongExpectedVersion
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.snapshots.counts import Counts
from infrastructure.snapshots.loader import SnapshotLoader
from infrastructure.snapshots.rule import SnapshotRule


class AggregateLoader:
    """Loads aggregates through one client. All of it raises what reading raises."""

    def __init__(
        self, streams: Streams, search: CommandSearch, snapshots: Iterable[SnapshotRule], counts: Counts
    ) -> None:
        self._streams: Final = streams
        self._search: Final = search
        self._counts: Final = counts
        self._snapshots: Final = SnapshotLoader(streams, snapshots, counts)

    async def load(self, aggregate: Aggregate[Any], category: str, revision: int | None = None) -> None:
        """Brings the aggregate to its stream's end; that is `revision` where the stream shows none of its events."""
        if aggregate.version >= 0 or not await self._snapshots.restore(aggregate, category):
            await aggregate.catch_up(self._streams)
        if aggregate.version == -1 and revision is not None:
            aggregate.skip_to(revision)

    def consider(self, aggregate: Aggregate[Any], category: str) -> None:
        """Has a snapshot taken, off the command's path, where one is due."""
        self._snapshots.consider(aggregate, category)

    async def records_of(self, command_id: UUID, aggregate: Aggregate[Any]) -> list[Recorded[Any]]:
        """What the command left in the stream as far as it is known, in order; nothing where it is new.

        Raises WrongExpectedVersion where it left something that is to be seen no more, and SearchNeeded where much of a
        long stream must be read first.
        """
        places = aggregate.commands.places(command_id, aggregate.version)
        if not places:
            return []
        if command_id not in aggregate.commands.recent:
            places = [await self._searched(command_id, aggregate, place) for place in places]
        self._counts.lookups += 1
        found = [
            recorded
            for versions in places
            for recorded in await self._read(aggregate.stream, versions)
            if recorded.metadata.command_id == command_id
        ]
        self._counts.false_alarms += not found
        if not found and command_id in aggregate.commands.recent:
            aggregate.forget()  # what was there was deleted: a repeat of it has no answer any more
            raise WrongExpectedVersion(aggregate.stream, None)
        return found

    async def _searched(self, command_id: UUID, aggregate: Aggregate[Any], versions: range) -> range:
        """The versions of these that the command left. Raises SearchNeeded."""
        stream = aggregate.stream
        part = Part(stream, aggregate.commands.identity, versions)
        missing = self._search.missing(part)
        if len(missing) > PAGE:
            raise SearchNeeded(part)
        if missing:
            self._search.take(part, await self._streams.records(stream, missing.start, len(missing)) or [])
        return self._search.versions_of(command_id, part)

    async def _read(self, stream: str, versions: range) -> list[Recorded[Any]]:
        """The visible events of these versions, read backwards page by page, in the order of the stream."""
        found: list[Recorded[Any]] = []
        for first in reversed(range(versions.start, versions.stop, PAGE)):
            page = await self._streams.page(stream, first, min(PAGE, versions.stop - first)) or []
            found[:0] = [recorded for recorded in page if recorded.version < versions.stop]
        return found

    async def close(self) -> None:
        """Ends what is under way, bounded in time."""
        await self._snapshots.close()
