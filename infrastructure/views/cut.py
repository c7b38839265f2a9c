"""Says for each record of a partition whether it was written by a time, or up to a position, stream by stream."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import Record
from infrastructure.history.errors import OutOfReach, UnknownStream
from infrastructure.history.moment import moment_of_time, written
from infrastructure.history.records import Records
from infrastructure.views.stream_versions import NOTHING, StreamVersions


class Cut:
    """Divides the records of a partition in those before and those after it.

    Before it are all before the position `first_later`; of later ones, those of the streams that are `resumed`, up to a
    version: where the clock stepped back, a stream may go on after the first record that came too late.
    """

    def __init__(self, first_later: int) -> None:
        self.first_later: Final = first_later
        self.resumed: Final = StreamVersions()

    def covers(self, position: int, stream: str, version: int) -> bool:
        """Whether the record at that position, of that stream and number in it, is before it."""
        return position < self.first_later or version <= self.resumed.of(stream)

    def close(self) -> None:
        """Removes what it keeps."""
        self.resumed.close()


def cut_at_time(records: Iterable[Record], at: datetime, end: int, version_at: Callable[[str], int]) -> Cut:
    """The cut at a time of the server's clock; the records are in the order of the log, and count up to `end`.

    Where the clock never stepped back over that time, one record tells it. Else each stream with a record by that time
    after the first later one is asked for its version then: `version_at` names one that was written by then and whose
    next was not.
    """
    first_later: int | None = None
    doubtful = StreamVersions()
    for record in records:
        if (position := record.position or 0) > end:
            break
        is_later = written(record) > at
        if is_later and first_later is None:
            first_later = position
        elif not is_later and first_later is not None:
            doubtful.add([(record.stream, NOTHING)])
    cut = Cut(end + 1 if first_later is None else first_later)
    for streams in doubtful.chunks():
        cut.resumed.add((stream, version_at(stream)) for stream, _ in streams)
    doubtful.close()
    return cut


def versions_at(reader: LogReader, at: datetime) -> Callable[[str], int]:
    """Asks streams for their version at a time, as `foldstream as-of` does; that raises StoreUnavailable."""

    def version_at(stream: str) -> int:
        try:
            return moment_of_time(Records(reader, stream), at).record.version
        except (OutOfReach, UnknownStream, StreamGone):
            return NOTHING  # nothing of it is visible from then

    return version_at
