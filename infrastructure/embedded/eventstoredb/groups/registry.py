"""All groups of the server: creates, changes and removes them, and brings them back after a restart."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import structlog

from infrastructure.embedded.eventstoredb.groups.configuration import Configuration
from infrastructure.embedded.eventstoredb.groups.definition import (
    ALL,
    Definition,
    check_sizes,
    check_start,
    key_of,
)
from infrastructure.embedded.eventstoredb.groups.errors import GroupExists, GroupNotFound, NotReady
from infrastructure.embedded.eventstoredb.groups.group import Group
from infrastructure.embedded.eventstoredb.groups.system_streams import checkpoint_stream, parked_stream
from infrastructure.embedded.eventstoredb.log import ANY, EventLog

TICK_SECONDS = 1.0
logger = structlog.get_logger()


class Registry:
    """Changes happen one at a time, and are on disk before they are answered."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._configuration = Configuration(log)
        self._groups: dict[str, Group] = {}
        self._sources: set[str] = set()
        self._changing = asyncio.Lock()
        self._ticking: asyncio.Task[None] | None = None
        self._is_ready = False

    async def start(self) -> None:
        """Every group goes on from its checkpoint."""
        for definition in self._configuration.load():
            self._run(definition)
        self._ticking = asyncio.create_task(self._tick())
        self._ticking.add_done_callback(_report)
        self._is_ready = True
        if self._groups:
            logger.info("groups_loaded", count=len(self._groups))

    async def stop(self) -> None:
        """Ends all readers."""
        self._is_ready = False
        if self._ticking is not None:
            self._ticking.cancel()
        groups, self._groups = self._groups, {}
        await asyncio.gather(*(group.stop() for group in groups.values()))

    async def restart(self) -> None:
        """Drops all readers and loads everything anew."""
        async with self._changing:
            await self.stop()
            await self.start()

    async def create(self, definition: Definition) -> None:
        """Raises GroupRefused, GroupExists, NotReady or LogError."""
        async with self._changing:
            self._check_ready()
            check_start(definition, self._log.last_position)
            if definition.key in self._groups:
                raise GroupExists(definition.source, definition.group)
            check_sizes(definition)
            await self._forget(definition)  # a kill may have left something of a deleted one
            await self._configuration.prepare()
            group = Group(self._log, definition)  # finds the end before the configuration moves it
            await self._configuration.save([*self._definitions(), definition])
            self._begin(group)

    async def update(self, definition: Definition) -> None:
        """What the group selects stays as it was. Raises GroupNotFound, GroupRefused or LogError."""
        async with self._changing:
            old = self.get(definition.stream, definition.group)
            check_start(definition, self._log.last_position)
            check_sizes(definition)
            new = replace(definition, selection=old.definition.selection)
            others = [other for other in self._definitions() if other.key != new.key]
            await self._configuration.save([*others, new])
            await old.stop()
            self._run(new)

    async def delete(self, stream: str | None, name: str) -> None:
        """A group of the same name will start afresh. Raises GroupNotFound or LogError."""
        async with self._changing:
            group = self.get(stream, name)
            await self._configuration.save([d for d in self._definitions() if d.key != group.definition.key])
            del self._groups[group.definition.key]
            await group.stop()
            await self._forget(group.definition)

    def get(self, stream: str | None, name: str) -> Group:
        """Raises GroupNotFound or NotReady."""
        self._check_ready()
        group = self._groups.get(key_of(stream, name))
        if group is None:
            raise GroupNotFound(ALL if stream is None else stream, name)
        return group

    def all(self) -> list[Group]:
        """Raises NotReady."""
        self._check_ready()
        return list(self._groups.values())

    def of_source(self, stream: str | None) -> list[Group]:
        """Raises GroupNotFound for a source that had no group since the start, and NotReady."""
        self._check_ready()
        source = ALL if stream is None else stream
        if source not in self._sources:
            raise GroupNotFound(source, "")
        return [group for group in self._groups.values() if group.definition.source == source]

    async def _forget(self, definition: Definition) -> None:
        for name in (checkpoint_stream(definition.key), parked_stream(definition.key)):
            if self._log.stream_exists(name):
                await self._log.delete(name, ANY)

    def _check_ready(self) -> None:
        if not self._is_ready:
            raise NotReady

    def _definitions(self) -> Iterable[Definition]:
        return [group.definition for group in self._groups.values()]

    def _run(self, definition: Definition) -> None:
        self._begin(Group(self._log, definition))

    def _begin(self, group: Group) -> None:
        self._groups[group.definition.key] = group
        self._sources.add(group.definition.source)
        group.start()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for group in list(self._groups.values()):
                group.tick()


def _report(ticking: asyncio.Task[None]) -> None:
    if not ticking.cancelled() and ticking.exception() is not None:
        logger.critical("group_ticks_ended", exc_info=ticking.exception())
