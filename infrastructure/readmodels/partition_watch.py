"""Those who wait for one partition, and what is done for all of them together until it has come far enough."""

import asyncio
import time
from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from infrastructure.readmodels.alarm import Alarm
from infrastructure.readmodels.checkpoint import Checkpoint
from infrastructure.readmodels.commit_listener import CommitListener
from infrastructure.readmodels.keys import PartitionId
from infrastructure.readmodels.log_coverage import Coverage

Look: TypeAlias = Callable[[], Awaitable[Checkpoint | None]]
"""Reads the checkpoint; None where it can't be read, and where the partition's generation is read no more."""
Ask: TypeAlias = Callable[[int | None], Awaitable[Coverage | None]]
"""Asks the log what follows the position of a checkpoint; None where it does not answer."""

_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.025
ASK_AFTER: Final = 0.04
_ASK_EVERY: Final = 0.1


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Of one who waits, among all: by the position waited for, then by the order in which they came."""

    position: int
    number: int


class PartitionWatch:
    """While somebody waits, the checkpoint is read and the log is asked now and then, however many they are.

    A partition whose commits are announced is looked at as seldom as the log is asked: 40 ms after somebody came, then
    every 100 ms; any other after 2 ms, then at pauses that grow to 25 ms. All pauses are at least a tenth of the time
    that the last one to come has waited.
    """

    def __init__(self, partition: PartitionId, listener: CommitListener, look: Look, ask: Ask) -> None:
        self._partition: Final = partition
        self._listener: Final = listener
        self._look: Final = look
        self._ask: Final = ask
        self._places: Final[list[Place]] = []
        self._futures: Final[dict[Place, asyncio.Future[bool]]] = {}
        self._checkpoint: int | None = None
        self._unannounced = self._entered = 0
        self._came = self._pause = 0.0
        self._next_look, self._next_question = Alarm(), Alarm()
        listener.follow(partition, self._hear)
        self._tasks: Final = [asyncio.create_task(each) for each in (self._look_on(), self._ask_on())]

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not self._places

    def enter(self, position: int, checkpoint: int | None, heard_before: int) -> tuple[Place, asyncio.Future[bool]]:
        """Waits for the partition, which was read at that checkpoint, to pass the position.

        The result is True when it is worth reading again, at once where that was announced after `heard_before`;
        False when the log does not go that far. `leave` has to follow.
        """
        place, future = Place(position, self._entered), asyncio.get_running_loop().create_future()
        self._entered += 1
        insort(self._places, place)
        self._futures[place] = future
        self._checkpoint = max(self._checkpoint or 0, checkpoint or 0) or None
        heard = self._listener.heard(self._partition)
        if heard is not None and heard.number > heard_before and heard.position >= position:
            future.set_result(True)
        else:
            self._came = time.monotonic()
            self._begin_to_look()
            self._next_question.within(ASK_AFTER)
        return place, future

    def leave(self, place: Place) -> None:
        """Waits no longer."""
        self._futures.pop(place)
        del self._places[bisect_left(self._places, place)]

    def close(self) -> None:
        """Nobody waits any more."""
        self._listener.leave(self._partition)
        for task in self._tasks:
            task.cancel()

    def _begin_to_look(self) -> None:
        self._pause = _FIRST_PAUSE
        self._next_look.within(_FIRST_PAUSE if self._listener.heard(self._partition) is None else ASK_AFTER)

    def _hear(self, position: int | None) -> None:
        if position is None:
            self._begin_to_look()
        else:
            self._checkpoint = position or None
            self._tell_passed(position)

    def _tell_passed(self, position: int) -> None:
        for place in self._places[: bisect_left(self._places, Place(position + 1, -1))]:
            self._tell(place, passed=True)

    def _tell(self, place: Place, *, passed: bool) -> None:
        if not (future := self._futures[place]).done():
            future.set_result(passed)

    async def _look_on(self) -> None:
        while True:
            await self._next_look.rings()
            found = await self._look()
            if found is None:
                for place in self._places:
                    self._tell(place, passed=True)
            else:
                self._found(found.position)
                self._tell_passed(found.position or 0)
            self._next_look.within(self._until_next_look())

    def _found(self, position: int | None) -> None:
        """Notes where it is, and whether it came there without a word: what was not heard by the next look is none."""
        heard = self._listener.heard(self._partition)
        if heard is not None and heard.position < self._unannounced:
            self._listener.doubt(self._partition)
        self._unannounced = 0 if heard is None or position is None or position <= heard.position else position
        self._checkpoint = position

    def _until_next_look(self) -> float:
        if self._listener.heard(self._partition) is not None:
            return max(_ASK_EVERY, self._tenth)
        self._pause = min(2 * self._pause, max(_LONGEST_PAUSE, self._tenth))
        return self._pause

    @property
    def _tenth(self) -> float:
        return 0.1 * (time.monotonic() - self._came)

    async def _ask_on(self) -> None:
        while True:
            await self._next_question.rings()
            came = self._entered
            covered = await self._ask(self._checkpoint)
            if covered is not None:
                self._tell_passed(covered.until)
                self._tell_beyond(covered.end, came)
            self._next_question.within(max(_ASK_EVERY, self._tenth))

    def _tell_beyond(self, end: int, came: int) -> None:
        """Of what was appended after the question, those who came later may wait for it."""
        for place in self._places[bisect_left(self._places, Place(end + 1, -1)) :]:
            if place.number < came:
                self._tell(place, passed=False)
