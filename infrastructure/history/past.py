"""The past of one stream: its state as of a version or a time, and its changes between two times."""

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
from infrastructure.history.records import SHORT_PAGE, Records
from infrastructure.history.states import Boundary, Difference, StateFold, differences
from infrastructure.history.stored_states import StoredState, nearest_states
from infrastructure.snapshots.state import StateJson, dump_state

SCAN_LIMIT: Final = 20_000
_PAGE: Final = SEGMENT + 1  # a segment's last record, and as many as a segment holds


@dataclass(frozen=True, slots=True)
class StateAsOf:
    """The state after `version`, which was written at `since` and was the newest until `until`, None: it still is.

    `first_version` is above 0 where older events were truncated away; the state is folded without them.
    """

    stream: str
    version: int
    since: datetime
    until: datetime | None
    first_version: int
    state: StateJson


@dataclass(frozen=True, slots=True)
class Change:
    """The effect of one record: the whole states before and after it, and the `fields` in which they differ."""

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
        """The event that caused the command; None where the command was a request."""
        metadata = self.metadata
        return None if metadata.causation_id == metadata.command_id else metadata.causation_id


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes in the order of the stream; the next page begins at version `following`, None: this is the last."""

    changes: Sequence[Change]
    following: int | None


class Past:
    """Reads the past of one stream. All of it raises as `Records` and `StateFold.take` do."""

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
        """The changes that were written from `since` on and before `until`, oldest first.

        The whole stream is read: older events are folded, and the clock may step back.
        """
        last = self._records.last().version
        for change in walk(self._records.through(0, last, SHORT_PAGE), self._boundary, self._codec):
            at = written(change.record)
            if (since is None or since <= at) and (until is None or at < until):
                yield change

    def changes_page(self, window: Window, first: int, limit: int, scan_limit: int = SCAN_LIMIT) -> ChangesPage:
        """At most `limit` changes in the window, from version `first` on; fewer, or none, after `scan_limit` records.

        So every page costs the same, apart from loading the state before it.
        """
        last = self._records.last().version
        chosen: list[Record] = []
        for number, record in enumerate(self._records.through(first, last), start=1):
            version = record.version
            if window.includes(written(record)):
                if len(chosen) == limit:
                    return ChangesPage(self._changes_of(chosen), version)
                chosen.append(record)
            if number == scan_limit and version < last:
                return ChangesPage(self._changes_of(chosen), version + 1)
        return ChangesPage(self._changes_of(chosen), None)

    def _changes_of(self, chosen: Sequence[Record]) -> list[Change]:
        """The changes of these records; records between them are folded as well."""
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
        """The version of the first event in the state after `version`, and that state.

        Where the beginning of the stream is visible, the fold begins at the nearest stored state.
        """
        rule = self._boundary.rule
        if rule is not None and version >= rule.every and self._records.first().version == 0:
            for stored in nearest_states(self._records, rule, version):
                if (found := self._fold_from(stored, version)) is not None:
                    return 0, found.state
        fold = StateFold(self._boundary, self._codec)
        first = version
        for record in self._records.through(0, version, _PAGE):
            first = min(first, record.version)
            fold.take(record)
        return first, fold.state

    def _fold_from(self, stored: StoredState, version: int) -> StateFold | None:
        """Folds from a stored state on; None where the stream does not hold the record after which it was stored."""
        tail = self._records.through(stored.version, version, _PAGE)
        first = next(tail, None)
        if first is None or (first.version, first.id) != (stored.version, stored.last_id):
            return None
        fold = StateFold(self._boundary, self._codec, stored.state)
        for record in tail:
            fold.take(record)
        return fold


def walk(records: Iterator[Record], boundary: Boundary, codec: EventCodec) -> Iterator[Change]:
    """The change of each record of a stream, from the first one on. Raises as `StateFold.take`."""
    fold = StateFold(boundary, codec)
    before = dump_state(fold.state)
    for record in records:
        events = fold.take(record)
        after = dump_state(fold.state)
        yield Change(record, tuple(events), events[0].metadata, before, after)
        before = after
