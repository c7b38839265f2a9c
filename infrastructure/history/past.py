"""The past of one stream: its state as of a version or a time, and all changes between two times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from esdbclient import RecordedEvent

from domain.message import Metadata, Recorded
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.aggregates.states import Shown, shown
from infrastructure.eventstore.codec import EventCodec
from infrastructure.history.moment import Moment, moment_of_time, moment_of_version, written
from infrastructure.history.records import Records
from infrastructure.history.starts import Start, starts
from infrastructure.history.states import Boundary, Difference, Folding, differences

_PAGE: Final = SEGMENT + 1  # what follows on the end of a segment, with that end


@dataclass(frozen=True, slots=True)
class StateAsOf:
    """The state after `version`, which was written at `since` and was the last until `until`, None: it still is.

    `first_version` is above 0 where older events were truncated away, so that the state lacks them.
    """

    stream: str
    version: int
    since: datetime
    until: datetime | None
    first_version: int
    state: Shown


@dataclass(frozen=True, slots=True)
class Change:
    """What one record did. `before` and `after` are whole states, `fields` what differs between them."""

    record: RecordedEvent
    events: tuple[Recorded[Any], ...]
    metadata: Metadata
    before: Shown
    after: Shown

    @property
    def fields(self) -> list[Difference]:
        return differences(self.before, self.after)

    @property
    def cause(self) -> UUID | None:
        """The event that caused the command; None where it was somebody's request."""
        said = self.metadata
        return None if said.causation_id == said.command_id else said.causation_id


class Past:
    """Looks back on one stream. All of it raises as `Records` does and as `Folding.take` does."""

    def __init__(self, records: Records, boundary: Boundary, codec: EventCodec) -> None:
        self._records = records
        self._boundary = boundary
        self._codec = codec

    def as_of_time(self, at: datetime) -> StateAsOf:
        """The state at that time by the server's clock. Raises OutOfReach."""
        return self._as_of(moment_of_time(self._records, at))

    def as_of_version(self, version: int) -> StateAsOf:
        """The state after that version. Raises OutOfReach."""
        return self._as_of(moment_of_version(self._records, version))

    def changes(self, since: datetime | None, until: datetime | None) -> Iterator[Change]:
        """What was written from `since` on and before `until`, oldest first.

        All of the stream is read: what was before is folded, and the clock may step back.
        """
        last = self._records.last().stream_position
        for change in walk(self._records.through(0, last), self._boundary, self._codec):
            at = written(change.record)
            if (since is None or since <= at) and (until is None or at < until):
                yield change

    def _as_of(self, moment: Moment) -> StateAsOf:
        first, state = self._load_until(moment.record.stream_position)
        return StateAsOf(
            stream=self._records.stream,
            version=moment.record.stream_position,
            since=written(moment.record),
            until=None if moment.following is None else written(moment.following),
            first_version=first,
            state=shown(state),
        )

    def _load_until(self, version: int) -> tuple[int, Any]:
        """From which version on it was folded, and the state after `version`.

        A stream that still has its beginning is folded from the nearest state that is stored beside it.
        """
        rule = self._boundary.rule
        if rule is not None and version >= rule.every and self._records.first().stream_position == 0:
            for start in starts(self._records, rule, version):
                if (found := self._folded(start, version)) is not None:
                    return 0, found.state
        folding = Folding(self._boundary, self._codec)
        first = version
        for record in self._records.through(0, version, _PAGE):
            first = min(first, record.stream_position)
            folding.take(record)
        return first, folding.state

    def _folded(self, start: Start, version: int) -> Folding | None:
        """From a stored state on; None where the stream holds another record where it was stored, or none."""
        tail = self._records.through(start.version, version, _PAGE)
        first = next(tail, None)
        if first is None or (first.stream_position, first.id) != (start.version, start.last_id):
            return None
        folding = Folding(self._boundary, self._codec, start.state)
        for record in tail:
            folding.take(record)
        return folding


def walk(records: Iterator[RecordedEvent], boundary: Boundary, codec: EventCodec) -> Iterator[Change]:
    """Each record of a stream, from its first, with the state before and after it. Raises as `Folding.take`."""
    folding = Folding(boundary, codec)
    before = shown(folding.state)
    for record in records:
        events = folding.take(record)
        after = shown(folding.state)
        yield Change(record, tuple(events), events[0].metadata, before, after)
        before = after
