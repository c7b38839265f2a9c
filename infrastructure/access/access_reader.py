"""Reads the access log of a tenant: the entries between two times, day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from domain.stream_name import access_stream
from infrastructure.access.access_entry import AccessRecorded, entry_in
from infrastructure.eventstore.errors import UNREADABLE, EventStoreError, StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record

DAYS: Final = 7
MOST_DAYS: Final = 400
PART: Final = 5_000
"""Records that one part looks at."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_PAGE: Final = 500
_REMEMBERED: Final = 10_000  # ids: a second copy of an entry was sent within seconds of the first


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: those of a time from `since` on and before `until`, and what else they must have."""

    since: datetime
    until: datetime
    subject: str | None = None
    resource: str | None = None
    action: str | None = None

    def fits(self, entry: AccessRecorded) -> bool:
        """Whether it is one of them."""
        asked = (
            (self.subject, entry.subject),
            (_as_found(self.resource), _as_found(entry.resource)),
            (self.action, entry.action),
        )
        return self.since <= entry.at < self.until and all(each is None or each == has for each, has in asked)


def window(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The times between which entries are looked for: up to now, and DAYS back, where nothing else is said.

    Raises ValueError, which says what is wrong with `since`.
    """
    end = until or now
    begin = since or end - min(timedelta(days=DAYS), end - _FIRST)
    if end <= begin:
        raise ValueError("should be before the end of the time")
    if end - begin > timedelta(days=MOST_DAYS):
        raise ValueError(f"should be at most {MOST_DAYS} days before the end of the time")
    return begin, end


class Place(NamedTuple):
    """The record of a day's stream with that version, or the next one that there is."""

    day: date
    version: int


class Part(NamedTuple):
    """Some entries, where the part after them begins, None at the end, and what could not be read among them."""

    entries: list[AccessRecorded]
    following: Place | None
    unreadable: list[EventStoreError]


def access_entries(reader: LogReader, tenant: str, wanted: Wanted) -> Iterator[AccessRecorded | EventStoreError]:
    """The entries as they were stored, each once, and in place of one that can't be read the error that says where.

    Few are in memory at a time. Raises StoreUnavailable.
    """
    seen: dict[UUID, None] = {}
    for record in _records(reader, tenant, wanted, None):
        found = _read(record)
        if isinstance(found, EventStoreError) or (wanted.fits(found) and _is_new(seen, found.entry_id)):
            yield found


def access_part(reader: LogReader, tenant: str, wanted: Wanted, first: Place | None, limit: int) -> Part:
    """At most `limit` of them from a place on, and what can't be read, of PART records; a part may have none.

    Raises StoreUnavailable.
    """
    part, seen = Part([], None, []), dict[UUID, None]()
    for looked_at, record in enumerate(_records(reader, tenant, wanted, first)):
        if looked_at == PART or len(part.entries) == limit:
            return part._replace(following=Place(_day_of(record), record.version))
        found = _read(record)
        if isinstance(found, EventStoreError):
            part.unreadable.append(found)
        elif wanted.fits(found) and _is_new(seen, found.entry_id):
            part.entries.append(found)
    return part


def _records(reader: LogReader, tenant: str, wanted: Wanted, first: Place | None) -> Iterator[Record]:
    begin, end = (at.astimezone(UTC).date() for at in (wanted.since, wanted.until))
    start = first if first is not None and first.day >= begin else Place(begin, 0)
    for number in range(start.day.toordinal(), end.toordinal() + 1):
        day = date.fromordinal(number)
        yield from _records_of(reader, access_stream(day, tenant), start.version if day == start.day else 0)


def _records_of(reader: LogReader, stream: str, version: int) -> Iterator[Record]:
    """All that is visible of a stream; a deleted one is empty."""
    while True:
        try:
            page = reader.page(stream, version, _PAGE) or ()
        except StreamGone:
            return
        yield from page
        if len(page) < _PAGE:
            return
        version = page[-1].version + 1


def _read(record: Record) -> AccessRecorded | EventStoreError:
    try:
        return entry_in(record)
    except UNREADABLE as error:
        return error


def _is_new(seen: dict[UUID, None], entry_id: UUID) -> bool:
    if entry_id in seen:
        return False
    seen[entry_id] = None
    if len(seen) > _REMEMBERED:
        del seen[next(iter(seen))]
    return True


def _day_of(record: Record) -> date:
    return date.fromisoformat(record.stream.partition("-")[2])


def _as_found(resource: str | None) -> str | None:
    """Ids are found however their letters are written."""
    return None if resource is None else resource.lower()
