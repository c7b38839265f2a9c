"""A long story in pages: so many records or changes of a stream, and the version that the next page begins at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from esdbclient import RecordedEvent

from infrastructure.eventstore.checking import Window
from infrastructure.history.moment import written
from infrastructure.history.past import Change, Past, walk
from infrastructure.history.records import Records
from service.history.sources import CODEC, boundary_of

MOST_LOOKED_AT: Final = 20_000


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """`following` is the version to go on from; None where that was all."""

    records: Sequence[RecordedEvent]
    following: int | None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """`following` is the version to go on from; None where that was all."""

    changes: Sequence[Change]
    following: int | None


def records_page(records: Records, first: int, limit: int) -> RecordsPage:
    """At most `limit` records from version `first` on. Raises as `Records` does."""
    page = records.page(first, limit + 1)
    if not page:
        records.last()  # says where there is no such stream at all
    return RecordsPage(page[:limit], page[limit].stream_position if len(page) > limit else None)


class PagedPast(Past):
    """The past of one stream, whose changes are also told in pages."""

    def changes_page(self, window: Window, first: int, limit: int, looked_at: int = MOST_LOOKED_AT) -> ChangesPage:
        """At most `limit` changes in the window, from version `first` on; fewer, or none, after `looked_at` records.

        So a page costs the same wherever it lies, but for the state before it. Raises as `Past` does.
        """
        last = self._records.last().stream_position
        chosen: list[RecordedEvent] = []
        for number, record in enumerate(self._records.through(first, last), start=1):
            version = record.stream_position
            if window.includes(written(record)):
                if len(chosen) == limit:
                    return ChangesPage(self._changes_of(chosen), version)
                chosen.append(record)
            if number == looked_at and version < last:
                return ChangesPage(self._changes_of(chosen), version + 1)
        return ChangesPage(self._changes_of(chosen), None)

    def _changes_of(self, chosen: Sequence[RecordedEvent]) -> list[Change]:
        """What these records did; those in between are folded as well."""
        if not chosen:
            return []
        versions = {record.stream_position for record in chosen}
        boundary = self._boundary
        if (first := min(versions)) > 0:
            boundary = replace(boundary, initial=self._load_until(first - 1)[1])
        walked = walk(self._records.through(first, max(versions)), boundary, self._codec)
        return [change for change in walked if change.record.stream_position in versions]


def past_of(records: Records) -> PagedPast:
    """The past of this stream. Raises UnknownCategory."""
    return PagedPast(records, boundary_of(records.stream), CODEC)
