"""Folds a stream, and upon it the events that somebody wants appended, and says what contradicts it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from infrastructure.eventstore.errors import UNREADABLE
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.eventstore.record import Record
from infrastructure.history.errors import UnknownStream
from infrastructure.history.proposed_events import ProposedEvent
from infrastructure.history.records import SHORT_PAGE, Records
from infrastructure.history.states import StateFold
from service.cli.plurals import counted
from service.cli.progress import ProgressLine
from service.cli.streams.proposal import Repair
from service.errors import NotAppended
from service.history.objections import OBJECTIONS
from service.history.sources import CODEC, boundary_of

_LONG: Final = 10_000  # events


def require_sensible(uri: str, repair: Repair, proposed: Sequence[ProposedEvent]) -> None:
    """Sees that the aggregate, as it is at the version that is expected, takes these events one after the other.

    Raises NotAppended with the line of the first that it does not take, UnknownCategory, StreamGone, StoreUnavailable.
    """
    check = _AggregateCheck(repair)
    if repair.expected >= 0:
        with open_reader(uri) as reader, suppress(UnknownStream):  # deleted, it begins again; else the append tells
            check.fold(_watched(Records(reader, repair.stream).through(0, repair.expected, SHORT_PAGE), repair))
    for number, each in enumerate(proposed, repair.expected + 1):
        check.take(number, each)


def _watched(stored: Iterator[Record], repair: Repair) -> Iterator[Record]:
    """Of a long stream it is said how far it is read."""
    if repair.expected < _LONG:
        yield from stored
        return
    with ProgressLine(repair.stream) as progress:
        yield from progress.counted(stored, "events", repair.expected + 1)


class _AggregateCheck:
    """The state so far, by the product's own fold."""

    def __init__(self, repair: Repair) -> None:
        self._repair: Final = repair
        self._boundary: Final = boundary_of(repair.stream)
        self._objection: Final = OBJECTIONS[self._boundary.category]
        self._state: Any = self._boundary.initial
        self._first: int | None = None

    def fold(self, stored: Iterable[Record]) -> None:
        """What is there is taken as it is, as far as it can be seen."""
        fold = StateFold(self._boundary, CODEC)
        for record in stored:
            self._first = record.version if self._first is None else self._first
            try:
                fold.take(record)
            except Exception as error:
                said = f"what is there can't be folded at version {record.version}: {_reason(error)}"
                raise NotAppended(self._repair.stream, f"{said}; --unchecked appends to it nevertheless") from error
        self._state = fold.state

    def take(self, version: int, proposed: ProposedEvent) -> None:
        """The next event, which has to follow from what is there."""
        try:
            reason = self._objection_to(proposed.as_stored(self._repair.stream, version))
        except Exception as error:
            raise self._refused(proposed, _reason(error)) from error
        if reason is not None:
            raise self._refused(proposed, reason)

    def _objection_to(self, record: Record) -> str | None:
        """The first, of the events that the record means; without any it is folded."""
        for recorded in CODEC.events_in(record):
            if (reason := self._objection(self._state, recorded.event)) is not None:
                return reason
            self._state = self._boundary.evolve(self._state, recorded.event)
        return None

    def _refused(self, proposed: ProposedEvent, reason: str) -> NotAppended:
        told = f"{self._repair.file}, line {proposed.line}: {proposed.record.type}: {reason}"
        truncated = f" (its first {counted(self._first, 'event')} can't be seen)" if self._first else ""
        return NotAppended(self._repair.stream, f"{told}{truncated}; --unchecked appends it as it is")


def _reason(error: Exception) -> str:
    """What the fold of an aggregate raises is a bug or no history of its; all of it is told."""
    return str(error) if isinstance(error, UNREADABLE) else f"{type(error).__name__}: {error}"
