"""Follows the log and makes links: in pages, each written together with the position that it ends at."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from infrastructure.embedded.eventstoredb.errors import StorageFailed
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.projections import emission
from infrastructure.embedded.eventstoredb.projections import state as states
from infrastructure.embedded.eventstoredb.projections.emission import Emission
from infrastructure.embedded.eventstoredb.projections.source_events import SourceEvent, is_considered, source_of
from infrastructure.embedded.eventstoredb.projections.standard import STANDARD
from infrastructure.embedded.eventstoredb.projections.state import ProjectionState
from infrastructure.embedded.eventstoredb.storage.frames import decode_frame
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction

# Records looked at in one go: their links take a write of a few milliseconds, which other writes wait for.
PAGE = 32
# So many pages of which nothing came are read again after a restart: that is cheaper than to write each time.
SAVED_AFTER = 64
# Links come when writers pause for so long, and at the latest so long after what they stand for.
QUIET_SECONDS, LATEST_SECONDS = 0.1, 0.5
_RETRY_SECONDS = 1.0
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LogPage:
    """What is in the log behind position `start`, up to and with `end`; `is_full` where there may be more."""

    start: int
    end: int
    sources: Sequence[SourceEvent]
    is_full: bool


class Worker:
    """Makes the links of all enabled projections; those that are at the same position are served together.

    `states` are what the write that was decided last leaves, if it gets onto the disk; where it does not, they are
    loaded again before anything else is written. `processed` counts events since the start.
    """

    def __init__(self, log: EventLog) -> None:
        self.states: dict[str, ProjectionState] = {}
        self.processed: Counter[str] = Counter()
        self._log = log
        self._switched = asyncio.Event()
        self._passed_over = 0

    async def load(self) -> None:
        """Takes the states from the disk. Raises StorageFailed."""
        await self._log.write(self._load)

    async def change(self, name: str, change: Callable[[ProjectionState], ProjectionState]) -> None:
        """Changes a state on the disk, whatever is thought of it here. Raises StorageFailed."""
        await self._log.write(lambda transaction: self._change(transaction, name, change))
        self._switched.set()

    async def run(self) -> None:
        """Never returns."""
        await self._load_with_retries()
        while True:
            await self._wait_for_work()
            await self._wait_for_writers_to_pause()
            try:
                await self._catch_up()
            except StorageFailed as error:
                await _pause_after(error)
                await self._load_with_retries()

    def _load(self, transaction: Transaction) -> None:
        self.states = states.load(transaction)

    def _change(
        self, transaction: Transaction, name: str, change: Callable[[ProjectionState], ProjectionState]
    ) -> None:
        state = change(states.load(transaction)[name])
        states.save(transaction, state)
        self.states[name] = state

    async def _load_with_retries(self) -> None:
        is_loaded = False
        while not is_loaded:
            try:
                await self.load()
                is_loaded = True
            except StorageFailed as error:
                await _pause_after(error)

    async def _wait_for_work(self) -> None:
        while not self._is_behind():
            self._switched.clear()
            waiting: list[asyncio.Task[object]] = [asyncio.create_task(self._switched.wait())]
            if self._positions():
                waiting.append(asyncio.create_task(self._log.wait_beyond(self._positions()[0])))
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()

    async def _wait_for_writers_to_pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LATEST_SECONDS):
                while await self._grows():
                    pass

    async def _grows(self) -> bool:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._log.wait_beyond(self._log.last_position)
        except TimeoutError:
            return False
        return True

    async def _catch_up(self) -> None:
        is_more = True
        while is_more:
            is_more = await self._round()
            await asyncio.sleep(0)  # a page that needs no write is no reason to keep others waiting

    async def _round(self) -> bool:
        """A page for each position that a projection is at; whether there may be more."""
        pages = [self._read(position) for position in self._positions()]
        for page in pages:
            await self._project(page)
        return any(page.is_full for page in pages)

    def _positions(self) -> list[int]:
        return sorted({state.position for state in self.states.values() if state.enabled})

    def _is_behind(self) -> bool:
        return any(position < self._log.last_position for position in self._positions())

    def _read(self, start: int) -> LogPage:
        last = self._log.last_position
        rows = self._log.reader.all_forwards(start + 1, PAGE)
        found = [source_of(decode_frame(frame)) for _, stream, _, frame in rows if is_considered(stream)]
        sources = [source for source in found if source is not None]
        end = rows[-1][0] if rows else max(start, last)  # behind the last visible record there are hidden ones only
        return LogPage(start, end, sources, is_full=bool(rows) and end < last)

    async def _project(self, page: LogPage) -> None:
        made = []
        for projection in STANDARD:
            state = self.states[projection.name]
            if state.enabled and state.position == page.start:
                made.append(emission.make(projection, state, page.sources))
                await asyncio.sleep(0)
        if any(each.streams for each in made) or self._passed_over == SAVED_AFTER:
            await self._log.write(lambda transaction: self._write(transaction, page, made))
            self._passed_over = 0
        else:
            self._move(page, made)
            self._passed_over += 1

    def _write(self, transaction: Transaction, page: LogPage, made: Sequence[Emission]) -> None:
        for each in self._move(page, made):
            emission.write(transaction, each)
            states.save(transaction, self.states[each.projection.name])

    def _move(self, page: LogPage, made: Sequence[Emission]) -> list[Emission]:
        """Those that still hold: a projection may have been switched off or reset meanwhile."""
        valid = [each for each in made if self.states[each.state.name] == each.state]
        for each in valid:
            self.states[each.state.name] = replace(each.state, position=page.end)
            self.processed[each.state.name] += len(page.sources)
        return valid


async def _pause_after(error: StorageFailed) -> None:
    logger.warning("links_not_written", error=str(error), again_in_seconds=_RETRY_SECONDS)
    await asyncio.sleep(_RETRY_SECONDS)
