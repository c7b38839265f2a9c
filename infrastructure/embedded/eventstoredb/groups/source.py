"""Where a group's events come from: one stream, or the whole log through a selection."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from infrastructure.embedded.eventstoredb.filters.filter import Filter
from infrastructure.embedded.eventstoredb.filters.selection import Selection
from infrastructure.embedded.eventstoredb.groups.definition import FROM_END, Definition
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.frames import decode_frame
from infrastructure.embedded.eventstoredb.storage.record import LogRecord
from infrastructure.embedded.eventstoredb.storage.rows import Row

# A selective filter is not to cost a read for every event that it lets pass.
WINDOW = 200


@dataclass(frozen=True, slots=True)
class SourceItem:
    """A position in the source, and the record there if the group wants it."""

    position: int
    record: LogRecord | None


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Consecutive items of the source; `is_last` where there is nothing behind it by now."""

    items: list[SourceItem]
    is_last: bool


class Source(Protocol):
    def read(self, limit: int, *, live: bool) -> SourcePage:
        """The next page, with at most `limit` records that are wanted.

        A `live` group gets each event as it is committed, whatever hides it later.

        Raises StreamDeleted, InvalidPattern or PatternTooSlow.
        """


class StreamSource:
    """A stream from a number on; it need not exist yet."""

    def __init__(self, log: EventLog, stream: str, first: int) -> None:
        self._log, self._stream, self._next = log, stream, first

    def read(self, limit: int, *, live: bool) -> SourcePage:
        records = self._log.read_stream_forwards(self._stream, self._next, limit, with_hidden=live)
        if records:
            self._next = records[-1].number + 1
        last = self._log.last_number(self._stream)
        is_last = not records or self._next > last
        if is_last:  # what is hidden up to here was so before the group was live
            self._next = max(self._next, last + 1)
        return SourcePage([SourceItem(record.number, record) for record in records], is_last)


class LogSource:
    """The log from a position on."""

    def __init__(self, log: EventLog, selection: Selection | None, first: int) -> None:
        self._log, self._next = log, first
        self._selection = selection

    @cached_property
    def _filter(self) -> Filter | None:
        """Made when it is needed: a pattern that takes too long is to stop its group, not the others' loading."""
        return None if self._selection is None else Filter(self._selection)

    def read(self, limit: int, *, live: bool) -> SourcePage:
        last = self._log.last_position
        items = self._select(self._log.reader.all_forwards(self._next, max(limit, WINDOW)), limit)
        # Hidden records up to the end are looked at once, not again and again.
        self._next = items[-1].position + 1 if items else max(self._next, last + 1)
        return SourcePage(items, is_last=self._next > last)

    def _select(self, rows: list[Row], limit: int) -> list[SourceItem]:
        items: list[SourceItem] = []
        left = limit
        for position, stream, kind, frame in rows:
            if left == 0:
                break
            wanted = self._filter is None or self._filter.admits(stream, kind)
            left -= wanted
            items.append(SourceItem(position, decode_frame(frame) if wanted else None))
        return items


def source_of(log: EventLog, definition: Definition, checkpoint: int | None) -> Source:
    """From after the checkpoint, or from the start that was asked for; the end is where the log ends now."""
    if definition.stream is None:
        start = log.last_position + 1 if definition.start == FROM_END else definition.start
        return LogSource(log, definition.selection, start if checkpoint is None else checkpoint + 1)
    start = definition.start
    if start == FROM_END:
        start = log.last_number(definition.stream) + 1
    return StreamSource(log, definition.stream, start if checkpoint is None else checkpoint + 1)
