"""Reads what operators have recorded: once a second at most for each process, whoever asks."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final, Generic

import stamina
import structlog

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable, StreamGone, WrongExpectedVersion
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.recorded_acts import PAGE, RecordedActs, StateT
from infrastructure.readmodels.deployment import Deployment
from infrastructure.subscriptions.policy import back_off

_EVERY: Final = 1.0
_SECONDS: Final = 1.0
_SECONDS_OF_AN_APPEND: Final = 2.5
_SECONDS_OF_A_REQUEST: Final = 0.25
_PAGES: Final = 100  # in one look; the next one goes on
_retrying: Final = stamina.RetryingCaller(attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2)
_logger = structlog.get_logger()


class ActWatch(Generic[StateT]):
    """For the workers of one process, in any of its threads. What can't be read changes nothing of what was known.

    `party` is who misses a store that is away.
    """

    def __init__(self, deployment: Deployment, recorded: RecordedActs[StateT], party: str) -> None:
        self._uri: Final = deployment.eventstore_uri
        self._outages: Final = deployment.outages
        self._recorded: Final = recorded
        self._party: Final = party
        self._using: Final = threading.Lock()
        self._reader: LogReader | None = None
        self._error: EventStoreError | None = None
        self._failures = 0
        self._due = 0.0

    def known(self) -> StateT:
        """What stands. Looks again where a second has passed since the last look, or longer after failures.

        Nobody waits for a look of another thread but where nothing is known yet. Raises EventStoreError where no look
        has succeeded.
        """
        if time.monotonic() >= self._due and self._using.acquire(blocking=self._recorded.known is None):
            try:
                self._look()
            finally:
                self._using.release()
        known = self._recorded.known
        if known is None:
            assert self._error is not None
            raise self._error
        return known

    def append(self, decide: Callable[[StateT], NewRecord | None]) -> StateT:
        """Appends what `decide` makes of all that is recorded, None: nothing; what stood before.

        Raises EventStoreError: it may have happened, so `decide` is to find it done.
        """
        with self._using:
            try:
                return _retrying(WrongExpectedVersion, self._append, decide)
            except EventStoreError:
                self._disconnect()
                raise

    def close(self) -> None:
        """Ends the connection; another look opens one again."""
        with self._using:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _look(self) -> None:
        if time.monotonic() < self._due:
            return  # another thread has looked
        try:
            self._read()
        except EventStoreError as error:
            self._failed(error)
        else:
            self._failures = 0
            self._outages.succeeded(self._party)
        self._due = time.monotonic() + (back_off(self._failures, longest=3.0) if self._failures else _EVERY)

    def _read(self) -> tuple[LogReader, StateT]:
        if self._reader is None:
            self._reader = open_reader(self._uri)
        recorded, hurried = self._recorded, self._reader.hurried(lambda: _SECONDS)
        for _ in range(_PAGES):
            try:
                page = hurried.page(recorded.stream, recorded.first, PAGE)
            except StreamGone:  # and with it all that stood
                page = None
            if recorded.take(page) and recorded.known is not None:
                return self._reader, recorded.known
        raise StoreUnavailable(hurried.address, f"{recorded.stream} has more records than are read at once")

    def _append(self, decide: Callable[[StateT], NewRecord | None]) -> StateT:
        reader, before = self._read()
        record = decide(before)
        if record is not None:
            reader.append(self._recorded.stream, self._recorded.version, record, seconds=_SECONDS_OF_AN_APPEND)
            self._read()
        return before

    def _failed(self, error: EventStoreError) -> None:
        self._error = error
        self._failures += 1
        self._disconnect()
        if not self._outages.failed(self._party, error):
            _logger.warning(f"{self._party}_not_read", reason=str(error))


class ActReads(Generic[StateT]):
    """For those who ask in an event loop, all of whom share a read. Where the store does not answer, what was known."""

    def __init__(self, log: Log, recorded: RecordedActs[StateT]) -> None:
        self._log: Final = log
        self._recorded: Final = recorded
        self._reading: Final = asyncio.Lock()
        self._due = 0.0

    async def known(self) -> StateT | None:
        """What stood a second ago, or later; None before it was read for the first time."""
        async with self._reading:
            if time.monotonic() >= self._due:
                await self._read()
                self._due = time.monotonic() + _EVERY
        return self._recorded.known

    async def _read(self) -> None:
        try:
            for _ in range(_PAGES):
                if self._recorded.take(await self._page()):
                    return
        except EventStoreError:  # whoever needs the store says that it is away
            _logger.debug("operations_not_read", stream=self._recorded.stream)

    async def _page(self) -> list[Record] | None:
        recorded = self._recorded
        try:
            return await self._log.of_stream(recorded.stream, recorded.first, PAGE, seconds=_SECONDS_OF_A_REQUEST)
        except StreamGone:
            return None
