"""The past of one stream: its state as of a version or a time, and all changes between two times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.message import Metadata, Recorded
from infrastructure.aggregates.command_ids import SEGMENT
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.schema_check import Window
from infrastructure.history.moment import Moment, moment_of_time, moment_of_version, written
from infrastructure.history.records import Records
from infrastructure.history.starts import Start, starts
from infrastructure.history.states import Boundary, Difference, Folding, differences
from infrastructure.snapshots.state import StateJson, dump_state

MOST_LOOKED_AT: Final = 20_000
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
    state: StateJson


@dataclass(frozen=True, slots=True)
class Change:
    """What one record did. `before` and `after` are whole states, `fields` what differs between them."""

    record: Record
    events: tuple[Recorded[Any], ...]
    metadata: Metadata
    before: StateJson
    after: StateJson

    @property
    def fields(self) -> list[Difference]:
        return differences(self.before, self.after)

    @property
    def cause(self) -> UUID | None:
        """The event that caused the command; None where it was somebody's request."""
        said = self.metadata
        return None if said.causation_id == said.command_id else said.causation_id


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes in the order of the stream; `following` is the version to go on from, None where that was all."""

    changes: Sequence[Change]
    following: int | None


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
        last = self._records.last().version
        for change in walk(self._records.through(0, last), self._boundary, self._codec):
            at = written(change.record)
            if (since is None or since <= at) and (until is None or at < until):
                yield change

    def changes_page(self, window: Window, first: int, limit: int, looked_at: int = MOST_LOOKED_AT) -> ChangesPage:
        """At most `limit` changes in the window, from version `first` on; fewer, or none, after `looked_at` records.

        So a page costs the same wherever it lies, but for the state before it. Raises as `Past` does.
        """
        last = self._records.last().version
        chosen: list[Record] = []
        for number, record in enumerate(self._records.through(first, last), start=1):
            version = record.version
            if window.includes(written(record)):
                if len(chosen) == limit:
                    return ChangesPage(self._changes_of(chosen), version)
                chosen.append(record)
            if number == looked_at and version < last:
                return ChangesPage(self._changes_of(chosen), version + 1)
        return ChangesPage(self._changes_of(chosen), None)

    def _changes_of(self, chosen: Sequence[Record]) -> list[Change]:
        """What these records did; those in between are folded as well."""
        if not chosen:
            return []
        versions = {record.version for record in chosen}
        boundary = self._boundary
        if (first := min(versions)) > 0:
            boundary = replace(boundary, initial=self._load_until(first - 1)[1])
        walked = walk(self._records.through(first, max(versions)), boundary, self._codec)
        return [change for change in walked if change.record.version in versions]

    def _as_of(self, moment: Moment) -> StateAsOf:
        first, state = self._load_until(moment.record.version)
        return StateAsOf(
            stream=self._records.stream,
            version=moment.record.version,
            since=written(moment.record),
            until=None if moment.following is None else written(moment.following),
            first_version=first,
            state=dump_state(state),
        )

    def _load_until(self, version: int) -> tuple[int, Any]:
        """From which version on it was folded, and the state after `version`.

        A stream that still has its beginning is folded from the nearest state that is stored beside it.
        """
        rule = self._boundary.rule
        if rule is not None and version >= rule.every and self._records.first().version == 0:
            for start in starts(self._records, rule, version):
                if (found := self._folded(start, version)) is not None:
                    return 0, found.state
        folding = Folding(self._boundary, self._codec)
        first = version
        for record in self._records.through(0, version, _PAGE):
            first = min(first, record.version)
            folding.take(record)
        return first, folding.state

    def _folded(self, start: Start, version: int) -> Folding | None:
        """From a stored state on; None where the stream holds another record where it was stored, or none."""
        tail = self._records.through(start.version, version, _PAGE)
        first = next(tail, None)
        if first is None or (first.version, first.id) != (start.version, start.last_id):
            return None
        folding = Folding(self._boundary, self._codec, start.state)
        for record in tail:
            folding.take(record)
        return folding


def walk(records: Iterator[Record], boundary: Boundary, codec: EventCodec) -> Iterator[Change]:
    """Each record of a stream, from its first, with the state before and after it. Raises as `Folding.take`."""
    folding = Folding(boundary, codec)
    before = dump_state(folding.state)
    for record in records:
        events = folding.take(record)
        after = dump_state(folding.state)
        yield Change(record, tuple(events), events[0].metadata, before, after)
        before = after
