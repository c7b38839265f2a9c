"""Reads aggregates from their streams: to the end, from a snapshot where there is one, or what one command left."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from domain.message import Recorded
from infrastructure.aggregates.aggregate import Aggregate
from infrastructure.command_counts import CommandCounts
from infrastructure.commands.search import CommandSearch, Part, SearchNeeded
from infrastructure.eventstore.errors import UNREADABLE, WrongExpectedVersion
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.outages import Outages
from infrastructure.snapshots.loader import SnapshotLoader
from infrastructure.snapshots.rule import SnapshotRule


class AggregateLoader:
    """Loads aggregates through one client. All of it raises what reading raises."""

    def __init__(
        self,
        streams: Streams,
        search: CommandSearch,
        snapshots: Iterable[SnapshotRule],
        counts: CommandCounts,
        outages: Outages | None = None,
    ) -> None:
        self._streams: Final = streams
        self._search: Final = search
        self._counts: Final = counts
        self._snapshots: Final = SnapshotLoader(streams, snapshots, counts, outages)
        self._long: Final = set[str]()  # categories of which the last stream that was loaded had snapshots

    async def load(self, aggregate: Aggregate[Any], category: str, revision: int | None = None) -> None:
        """Brings the aggregate to its stream's end; that is `revision` where the stream shows none of its events."""
        if aggregate.version >= 0:
            await aggregate.catch_up(self._streams)
        else:
            await self._load_new(aggregate, category)
        if aggregate.version == -1 and revision is not None:
            aggregate.skip_to(revision)

    async def _load_new(self, aggregate: Aggregate[Any], category: str) -> None:
        """In one read where the stream is short, which it is taken for where the last one of its category was."""
        interval = self._snapshots.interval(category)
        if interval is not None and category not in self._long:
            if await self._is_read_whole(aggregate, interval):
                return
            self._long.add(category)
            aggregate.forget()
        if not await self._snapshots.restore(aggregate, category):
            self._long.discard(category)
            await aggregate.catch_up(self._streams)

    async def _is_read_whole(self, aggregate: Aggregate[Any], interval: int) -> bool:
        """False also where an early event can't be read: a snapshot may stand for that."""
        try:
            return await aggregate.begin(self._streams, interval)
        except UNREADABLE:
            return False

    def consider(self, aggregate: Aggregate[Any], category: str) -> None:
        """Has a snapshot taken, off the command's path, where one is due."""
        self._snapshots.consider(aggregate, category)

    async def records_of(self, command_id: UUID, aggregate: Aggregate[Any], *, is_loaded: bool) -> list[Recorded[Any]]:
        """What the command left in the stream as far as it is known, in order; nothing where it is new.

        `is_loaded`: the aggregate was brought to its stream's end just now. Before that, what is remembered of the
        command and is no longer visible raises WrongExpectedVersion; after it the command is new.
        Raises SearchNeeded where much of a long stream must be read first.
        """
        commands = aggregate.commands
        places = commands.places(command_id, aggregate.version)
        if not places:
            return []
        if command_id not in commands.recent:
            places = [await self._searched(command_id, aggregate, place) for place in places]
            found = await self._read_places(command_id, aggregate.stream, places)
            self._counts.lookups.labels("found" if found else "false_alarm").inc()
            return found
        self._counts.lookups.labels("found").inc()
        found = await self._left_by(command_id, aggregate.stream, places[0])
        if not found and not is_loaded:
            aggregate.forget()
            raise WrongExpectedVersion(aggregate.stream, None)
        if not found:
            del commands.recent[command_id]  # it was truncated away, and a snapshot knows it still
        return found

    async def _left_by(self, command_id: UUID, stream: str, versions: range) -> list[Recorded[Any]]:
        """What a command left from the first of these versions on: a load that was cut short knows a part of it."""
        found: list[Recorded[Any]] = []
        first, limit = versions.start, len(versions) + 1
        while page := await self._streams.page(stream, first, limit):
            found += [recorded for recorded in page if recorded.metadata.command_id == command_id]
            if page[-1].metadata.command_id != command_id:
                break
            first, limit = page[-1].version + 1, PAGE
        return found

    async def _read_places(self, command_id: UUID, stream: str, places: Iterable[range]) -> list[Recorded[Any]]:
        return [
            recorded
            for versions in places
            for recorded in await self._read(stream, versions)
            if recorded.metadata.command_id == command_id
        ]

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
            stop = min(first + PAGE, versions.stop)
            page = await self._streams.page(stream, first, stop - first) or []
            found[:0] = [recorded for recorded in page if recorded.version < stop]  # a truncated one begins later
        return found

    async def close(self) -> None:
        """Ends what is under way, bounded in time."""
        await self._snapshots.close()
