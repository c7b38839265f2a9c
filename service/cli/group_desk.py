"""Persistent subscriptions as commands ask about them: all of them, one by its name, what each has parked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import typer

from infrastructure.eventstore.client import CommandClient
from infrastructure.eventstore.consumer_groups import ConsumerGroup, all_groups, one_group, replay_parked
from infrastructure.eventstore.errors import WrongExpectedVersion
from infrastructure.eventstore.parked_stream import Parked, ParkedCount, parked_count, parked_in, parked_stream
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import Streams
from service.cli.connections import connected, streams_of
from service.errors import NoGroup

_ATTEMPTS: Final = 5
_AT_ONCE: Final = 16
ResultT = TypeVar("ResultT")


class GroupDesk:
    """All of it raises StoreUnavailable, and each call is bounded."""

    def __init__(self, client: CommandClient, streams: Streams) -> None:
        self._client: Final = client
        self._streams: Final = streams

    async def all(self) -> list[ConsumerGroup]:
        """By source and name."""
        return await all_groups(self._client)

    async def called(self, name: str) -> ConsumerGroup:
        """The group of that name or `STREAM::GROUP`. Raises NoGroup, and BadParameter where several have it."""
        return group_called(name, await self.all())

    async def all_with_parked(self) -> list[tuple[ConsumerGroup, ParkedCount]]:
        """The same, each with how many messages it has parked."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def counted(group: ConsumerGroup) -> ParkedCount:
            async with at_once:
                return await self.parked_count(group)

        groups = await self.all()
        return list(zip(groups, await asyncio.gather(*map(counted, groups)), strict=True))

    async def again(self, group: ConsumerGroup) -> ConsumerGroup:
        """The same group as it is now. Raises NoGroup where it was deleted."""
        found = await one_group(self._client, group.source, group.name)
        if found is None:
            raise NoGroup(group.key)
        return found

    async def parked(self, group: ConsumerGroup) -> Parked | None:
        """What it has parked, None where that is nothing."""
        return await parked_in(self._streams, parked_stream(group.key))

    async def parked_count(self, group: ConsumerGroup) -> ParkedCount:
        """The same, also for a user who may not read it."""
        return await parked_count(self._streams, group.key, group.parked)

    async def replay(self, group: ConsumerGroup, stop_at: int) -> None:
        """Has what is parked under the numbers below that delivered again. Raises NoGroup."""
        if not await replay_parked(self._client, group, stop_at):
            raise NoGroup(group.key)

    async def drop(self, group: ConsumerGroup, before: int, metadata: bytes) -> None:
        """Truncates away what is parked under the numbers below that. Raises WrongExpectedVersion, AppendRefused."""
        stream = RetainedStream(self._streams, parked_stream(group.key), None)
        for attempt in range(_ATTEMPTS):
            try:
                await stream.truncate(metadata, before)
            except WrongExpectedVersion:  # the store has begun a replay meanwhile
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return


def group_called(name: str, groups: Sequence[ConsumerGroup]) -> ConsumerGroup:
    """One of these groups. Raises NoGroup, and BadParameter where the name is that of several."""
    found = [group for group in groups if group.key == name] or [group for group in groups if group.name == name]
    if not found:
        raise NoGroup(name)
    if len(found) > 1:
        raise typer.BadParameter(f"{name} is {' or '.join(group.key for group in found)}: say which")
    return found[0]


@asynccontextmanager
async def _desk(uri: str) -> AsyncIterator[GroupDesk]:
    async with connected(uri) as client, streams_of(client) as streams:
        yield GroupDesk(client, streams)


def at_desk(uri: str, work: Callable[[GroupDesk], Awaitable[ResultT]]) -> ResultT:
    """What is found or done on connections of its own. Raises StoreUnavailable, and what the work raises."""

    async def run() -> ResultT:
        async with _desk(uri) as desk:
            return await work(desk)

    return asyncio.run(run())
