"""Follows a link event to the event it stands for."""

from infrastructure.embedded.eventstoredb.storage.frames import decode_frame
from infrastructure.embedded.eventstoredb.storage.metadata import MAX
from infrastructure.embedded.eventstoredb.storage.reader import LogReader
from infrastructure.embedded.eventstoredb.storage.record import LogRecord

LINK = "$>"
_NEWEST = -1


def is_link(record: LogRecord) -> bool:
    """Whether there is something to follow: a link whose text does not start with a number is an event."""
    return record.type == LINK and _number(record.data.decode(errors="replace").partition("@")[0]) is not None


def resolve(reader: LogReader, link: LogRecord) -> LogRecord | None:
    """The event that a link names, if readers may see it; only one link is followed."""
    text, _, stream = link.data.decode(errors="replace").partition("@")
    number = _number(text)
    row = reader.stream(stream)
    if number is None or not _NEWEST <= number <= MAX or row.last == MAX:
        return None
    found = reader.at(row, row.last if number == _NEWEST else number)
    return None if found is None else decode_frame(found[3])


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
