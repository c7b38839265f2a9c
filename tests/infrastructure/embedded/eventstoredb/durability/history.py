"""What clients of a log that was killed again and again have seen, and whether the log can stand by it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

ANY = -2


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it is in the log."""

    position: int
    stream: str
    number: int
    id: UUID


@dataclass(slots=True)
class Attempt:
    """One append; without an end its client never learned what became of it. Times are of one clock."""

    stream: str
    expected: int
    ids: tuple[UUID, ...]
    began: float
    ended: float | None = None
    position: int | None = None
    refused_at: int | None = None


class History:
    """The log in its order, with the attempts behind it."""

    def __init__(self, log: Sequence[Logged], attempts: Sequence[Attempt]) -> None:
        self.log, self.attempts = log, attempts
        self.by_id = {event.id: event for event in log}
        self.by_number = {(event.stream, event.number): event for event in log}
        self.began: dict[UUID, float] = {}
        self.ended: dict[UUID, float] = {}
        for attempt in attempts:
            for each in attempt.ids:
                self.began[each] = min(attempt.began, self.began.get(each, attempt.began))
                if attempt.position is not None and attempt.ended is not None:
                    self.ended[each] = min(attempt.ended, self.ended.get(each, attempt.ended))

    def faults(self) -> list[str]:
        """Everything that must not be; empty for a log that kept its word."""
        return [
            *self._order(),
            *self._foreign(),
            *self._causality(),
            *(fault for attempt in self.attempts for fault in self._of(attempt)),
        ]

    def _order(self) -> Iterator[str]:
        """Positions rise, and each stream's numbers go up from 0 one by one."""
        following: dict[str, int] = defaultdict(int)
        for one, other in pairwise(self.log):
            if one.position >= other.position:
                yield f"out of order: {one} {other}"
        for event in self.log:
            if event.number != following[event.stream]:
                yield f"gap or double before {event}"
            following[event.stream] = event.number + 1
        if len(self.by_id) != len(self.log):
            yield "an event is there twice"

    def _foreign(self) -> Iterator[str]:
        yield from (f"nobody wrote {event}" for event in self.log if event.id not in self.began)

    def _causality(self) -> Iterator[str]:
        """What began after something was acknowledged comes after it."""
        done = sorted((self.ended[event.id], event.position) for event in self.log if event.id in self.ended)
        highest, acknowledged = 0, iter([*done, (float("inf"), 0)])
        ended, position = next(acknowledged)
        for began, event in sorted((self.began.get(event.id, 0.0), event.position) for event in self.log):
            while ended < began:
                highest = max(highest, position)
                ended, position = next(acknowledged)
            if event < highest:
                yield f"position {event} began after {highest} was acknowledged"

    def _of(self, attempt: Attempt) -> Iterator[str]:
        found = [self.by_id[each] for each in attempt.ids if each in self.by_id]
        if attempt.refused_at is not None:
            yield from self._refused(attempt, attempt.refused_at, found)
        elif found:
            yield from _written(attempt, found)
        elif attempt.position is not None:
            yield f"acknowledged and lost: {attempt}"

    def _refused(self, attempt: Attempt, version: int, found: Iterable[Logged]) -> Iterator[str]:
        """Nothing was written, and the stream can have been where the refusal said, at some time in between."""
        if list(found):
            yield f"refused and written: {attempt}"
        if version == attempt.expected:
            yield f"refused for what it expected: {attempt}"
        if version >= 0 and (attempt.stream, version) not in self.by_number:
            yield f"refused because of an event that was lost: {attempt}"
        successor = self.by_number.get((attempt.stream, version + 1))
        if successor is not None and self.ended.get(successor.id, float("inf")) < attempt.began:
            yield f"refused because of a version long past: {attempt}"


def _written(attempt: Attempt, found: list[Logged]) -> Iterator[str]:
    """As a whole, in order, where it was expected, and where the answer said."""
    numbers = [event.number for event in found]
    if [event.id for event in found] != list(attempt.ids):
        yield f"written by half: {attempt}"
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        yield f"torn apart: {attempt} {numbers}"
    if attempt.expected not in (ANY, numbers[0] - 1):
        yield f"written at {numbers[0]}: {attempt}"
    if attempt.position not in (None, found[-1].position):
        yield f"acknowledged elsewhere: {attempt} {found[-1]}"
