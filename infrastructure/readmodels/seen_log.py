"""What this process has seen of the log: true for as long as the newest record that it saw stands where it stood."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from infrastructure.eventstore.errors import EventStoreError, StoreUnavailable
from infrastructure.eventstore.identity import known_identity
from infrastructure.eventstore.log import Log
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.position_token import PositionToken
from infrastructure.readmodels.shared_calls import SharedCalls

_KNOWN_FOR: Final = 0.1  # seconds: no event store is stopped, and started as another one or on a copy, faster
_SECONDS: Final = 0.25
_LONGEST: Final = 1.0  # for what many share; each waits as long as it may
_PATIENCE: Final = 0.5  # seconds, twice what a connection that was lost waits before it is tried again
_PAUSE: Final = 0.025
_MOST_TOKENS: Final = 10_000


@dataclass(frozen=True, slots=True)
class NoEventsUntil:
    """A partition has no event after its checkpoint, up to and including that position."""

    generation: Generation
    checkpoint: int | None
    position: int


@dataclass(frozen=True, slots=True)
class FoldedFrom:
    """A partition up to that position was folded from this log, as it was found at that time."""

    generation: Generation
    position: int
    found: float


class SeenLog:
    """What was found in one store's log, by projection and partition, and the tokens whose records it holds.

    `turns` are taken by those who look for `folded`; `calls` are what many ask the log for at once.

    A log only grows, unless an older copy of it is put back; then its end is lost. So the newest record that anything
    here rests on is looked for again, and where it is gone, all of this is forgotten.
    """

    def __init__(self, log: Log) -> None:
        self.log: Final = log
        self.identity: str | None = None
        self.answers = False
        self.quiet: Final[dict[tuple[str, int], NoEventsUntil]] = {}
        self.folded: Final[dict[tuple[str, int], FoldedFrom]] = {}
        self.turns: Final[defaultdict[tuple[str, int], asyncio.Lock]] = defaultdict(asyncio.Lock)
        self.calls: Final = SharedCalls()
        self._tokens: Final[dict[PositionToken, None]] = {}
        self._newest: PositionToken | None = None
        self._looking: Final = asyncio.Lock()
        self._looked = -_KNOWN_FOR

    async def look(self, *, now: bool = False) -> None:
        """Looks whether it is the same store, with the same log, where the last look was too long ago or `now`.

        `answers` and `identity` say what was found. A store that answered before, and one that is asked `now`, is
        asked again for half a second: it may have been started anew, and only the connection to it is lost.
        """
        called = time.monotonic()
        async with self._looking:
            if self._looked < called - (0.0 if now else _KNOWN_FOR):
                began = time.monotonic()
                self.answers = await self._found_within(_PATIENCE if now or self.answers else 0.0)
                self._looked = began

    async def end(self, seconds: float) -> int:
        """The position of the last record, which is then the newest that was seen. Raises StoreUnavailable."""
        try:
            async with asyncio.timeout(seconds):
                return await self.calls.answer("end", self._end)
        except TimeoutError as error:
            raise StoreUnavailable(self.log.address, f"no answer within {seconds:g} s") from error

    def holds(self, token: PositionToken) -> bool:
        """Whether the log was found to hold the token's record."""
        return token in self._tokens

    def found(self, token: PositionToken) -> None:
        """The log holds the token's record."""
        if len(self._tokens) >= _MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token] = None
        self._see(token)

    async def _end(self) -> int:
        last = await self.log.last(_LONGEST)
        if last is None or last.position is None:
            return 0
        self._see(PositionToken(last.position, str(last.id)))
        return last.position

    def _see(self, token: PositionToken) -> None:
        if self._newest is None or self._newest.position < token.position:
            self._newest = token

    async def _found_within(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while not (answers := await self._found()) and time.monotonic() < ends:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(_PAUSE)
        return answers

    async def _found(self) -> bool:
        """Whether the store answers. A log that has lost what was seen of it is seen for the first time."""
        newest = self._newest
        try:
            self.identity = await known_identity(self.log, _SECONDS)
            is_same = newest is None or await self.log.holds(newest.position, newest.event or "", _SECONDS)
        except EventStoreError:
            return False
        if not is_same:
            self.quiet.clear()
            self.folded.clear()
            self._tokens.clear()
            self._newest = None
        return True
