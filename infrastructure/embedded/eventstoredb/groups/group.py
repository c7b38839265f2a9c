"""A running group: feeds its engine from the log, and carries out its effects."""

import asyncio
import sys
import time
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import UUID

import structlog

from infrastructure.embedded.eventstoredb.errors import InvalidPattern, LogError, PatternTooSlow, StreamDeleted
from infrastructure.embedded.eventstoredb.groups.background_writer import BackgroundWriter
from infrastructure.embedded.eventstoredb.groups.consumer import Consumer
from infrastructure.embedded.eventstoredb.groups.consumer_connection import ConsumerConnection
from infrastructure.embedded.eventstoredb.groups.definition import Definition
from infrastructure.embedded.eventstoredb.groups.effects import Checkpoint, Deliver, Effect, Park
from infrastructure.embedded.eventstoredb.groups.engine import Action, Engine
from infrastructure.embedded.eventstoredb.groups.errors import GroupDropped, TooManySubscribers
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.source import SourceItem, source_of
from infrastructure.embedded.eventstoredb.groups.statistics import RateCounter
from infrastructure.embedded.eventstoredb.groups.system_streams import CheckpointStream, ParkedStream
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.record import LogRecord
from infrastructure.embedded.eventstoredb.streams.links import is_link

FIRST_PAGES = 8
WRITING_SECONDS = 5.0
logger = structlog.get_logger()


class Group:
    """Runs from `start` to `stop`; a new definition needs a new one. Needs a running event loop."""

    def __init__(self, log: EventLog, definition: Definition) -> None:
        self.definition = definition
        self._log = log
        self.checkpoints, self.parked = CheckpointStream(log, definition), ParkedStream(log, definition)
        checkpoint = self.checkpoints.load()
        self._source = source_of(log, definition, checkpoint)
        self.engine = Engine(definition.settings, checkpoint)
        self._writer = BackgroundWriter(self.parked, self.checkpoints, self._on_parked)
        self._connections: dict[Consumer, ConsumerConnection] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = self.is_replaying = False
        self.rate = RateCounter(time.monotonic())

    def start(self) -> None:
        """A short source is read at once."""
        for _ in range(FIRST_PAGES):
            if not self._read_page():
                break
        self._spawn(self._read())
        self._spawn(self._writer.run())

    async def stop(self) -> None:
        """Drops the connections, and writes what was decided until now."""
        self._end()
        if not await self._writer.finished(WRITING_SECONDS):
            logger.warning("group_stopped_unwritten", group=self.definition.key)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Consumers

    def connect(self, slots: int, name: str, peer: str) -> ConsumerConnection:
        """Raises TooManySubscribers; the connection of a group that is over is dropped at once."""
        if self.engine.is_full:
            raise TooManySubscribers(self.definition.source, self.definition.group)
        connection = ConsumerConnection(Consumer(slots, name, peer), time.monotonic())
        self._connections[connection.consumer] = connection
        self._perform(self.engine.connect(connection.consumer, time.monotonic()))
        if self._is_over:
            self._end()
        return connection

    def disconnect(self, connection: ConsumerConnection) -> None:
        if self._connections.pop(connection.consumer, None):
            self._perform(self.engine.disconnect(connection.consumer, time.monotonic()))

    def acknowledge(self, ids: Iterable[UUID]) -> None:
        self._perform(self.engine.acknowledge(ids, time.monotonic()))

    def refuse(self, ids: Iterable[UUID], action: Action, reason: str) -> None:
        self._perform(self.engine.refuse(ids, action, reason, time.monotonic()))

    def tick(self) -> None:
        self._perform(self.engine.tick(time.monotonic()))

    def replay(self, stop_at: int | None) -> None:
        """Begins to deliver what is parked, up to (without) that number; while that lasts, no second time."""
        if not self.is_replaying:
            self.is_replaying = True
            self._spawn(self._replay(sys.maxsize if stop_at is None else stop_at))

    # Statistics

    @property
    def connections(self) -> list[ConsumerConnection]:
        return list(self._connections.values())

    @property
    def status(self) -> str:
        """As EventStoreDB says it: a group whose stream is gone waits for a page for ever."""
        states = {
            "Behind": self._is_over or not self.engine.live,
            "OutstandingPageRequest": self._is_over,
            "ReplayingParkedMessages": self.is_replaying,
            "Live": self.engine.live and not self._is_over,
        }
        return ", ".join(state for state, holds in states.items() if holds)

    # In the background

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("group_failed", group=self.definition.key, exc_info=task.exception())
            self._end()

    async def _read(self) -> None:
        while not self._is_over:
            end = self._log.last_position
            if self.engine.next_page_size() == 0:
                await self._wait_for_change()
            elif self._read_page():
                await asyncio.sleep(0)
            else:
                await self._log.wait_beyond(end)

    def _read_page(self) -> bool:
        """Takes a page of the source; whether it makes sense to go on."""
        size = self.engine.next_page_size()
        if size == 0:
            return False
        try:
            page = self._source.read(size, live=self.engine.live)
        except (StreamDeleted, InvalidPattern, PatternTooSlow) as error:
            logger.warning("group_ended", group=self.definition.key, reason=str(error))
            self._end()
            return False
        for item in page.items:
            self._take(item)
        if page.is_last:
            self.engine.caught_up()
        self._perform(self.engine.settle(time.monotonic()))
        return not page.is_last

    def _take(self, item: SourceItem) -> None:
        if item.record is None:
            self.engine.skip(item.position)
        else:
            self.engine.add(item.record, self._resolve(item.record), item.position)

    def _resolve(self, record: LogRecord) -> LogRecord | None:
        if self.definition.settings.resolve_links and is_link(record):
            return self._log.resolve(record)
        return record

    async def _replay(self, stop_at: int) -> None:
        await self._writer.finished(WRITING_SECONDS)
        numbers = self.parked.bounds()
        number, stop = numbers.start, min(stop_at, numbers.stop)
        try:
            while number < stop:
                number = await self._replay_page(number, stop)
        except LogError as error:  # what is delivered but not hidden is delivered again by the next replay
            logger.warning("replay_interrupted", group=self.definition.key, number=number, error=str(error))
        self.is_replaying = False

    async def _replay_page(self, number: int, stop: int) -> int:
        """The number to go on from."""
        while self.engine.room == 0:
            await self._wait_for_change()
        page = self.parked.read(number, min(stop - number, self.engine.room))
        following = page[-1][0].number + 1 if page else stop
        self._perform(self.engine.replay(page, time.monotonic()))
        await self.parked.forget(following)
        return following

    async def _wait_for_change(self) -> None:
        """Returns when the engine has done something."""
        self._changed.clear()
        await self._changed.wait()

    def _on_parked(self, messages: list[Message], written: bool) -> None:
        tell = self.engine.parked if written else self.engine.not_parked
        self._perform(tell(messages, time.monotonic()))

    def _perform(self, effects: list[Effect]) -> None:
        self._changed.set()
        for effect in effects:
            match effect:
                case Deliver():
                    self._connections[effect.consumer].put(effect.message)
                case Park():
                    self._writer.park(effect)
                case Checkpoint():
                    self._writer.checkpoint(effect.position)

    def _end(self) -> None:
        """Nothing more will come: the group stops, its stream is gone, or something unexpected happened."""
        self._is_over = True
        error = GroupDropped(self.definition.source, self.definition.group)
        for connection in self._connections.values():
            connection.drop(error)
