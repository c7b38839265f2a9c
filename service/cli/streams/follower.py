"""Follows a stream, or the whole log, as it grows, over as many connections as that takes."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Final

from infrastructure.eventstore.errors import StoreUnavailable, StreamGone
from infrastructure.eventstore.frames import LAST_POSITION, CaughtUp, CheckpointReached
from infrastructure.eventstore.log_reader import LogReader, open_reader
from infrastructure.eventstore.record import TOMBSTONE_VERSION, Record
from infrastructure.eventstore.record_messages import record_in
from infrastructure.eventstore.stream_patterns import EVERY_STREAM, stream_pattern
from infrastructure.history.errors import UnknownStream
from infrastructure.history.records import SHORT_PAGE
from infrastructure.subscriptions.catch_up import CatchUp
from infrastructure.subscriptions.policy import back_off
from service.cli.streams.reader import ALL, Wanted, records_of
from service.errors import LogReplaced, NoPosition

_LONGEST: Final = 5.0  # seconds between two attempts to connect
_TICK: Final = 0.5


class Follower:
    """Whatever is in a stream from number `first` on, and is appended to it later; of `$all`, `first` is a position.

    `require` is asked before anything is given, and while nothing comes: what it raises ends it, but StoreUnavailable.
    `say` hears that the store is away, and that it is there again.
    """

    def __init__(
        self, uri: str, stream: str, first: int | None, *, require: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self._uri: Final = uri
        self._stream: Final = stream
        self._first = first
        self._require: Final = require
        self._say: Final = say
        self._last: Record | None = None
        self._position: int | None = None  # of the log, up to which nothing is to come
        self._failures = 0
        self._was_there = False

    def batches(self) -> Generator[Sequence[Record], None, None]:
        """Each record once, in order, and an empty batch now and then; it does not end by itself.

        Where the store goes away it is tried again, every five seconds in the end. Raises StoreUnavailable where it was
        never there, UnknownStream, NoPosition, LogReplaced, StreamGone for a stream that was deleted for good, once all
        before that was given, and what `require` raises.
        """
        while True:
            try:
                yield from self._of_one_connection()
            except StoreUnavailable as error:
                yield from self._away(error)

    def _of_one_connection(self) -> Iterator[Sequence[Record]]:
        with open_reader(self._uri) as reader:
            end = reader.end()
            self._require_same_log(reader, end)
            self._was_there = True
            yield from self._stored(reader, end)
            pattern = EVERY_STREAM if self._stream == ALL else stream_pattern(self._stream)
            with CatchUp(reader, pattern, self._position, record_in) as catch_up:
                # A store that took this one's place a moment ago has taken the subscription, too.
                with reader.beside() as beside:
                    self._require_same_log(beside, beside.end())
                for frames in catch_up.batches():
                    self._require()
                    self._connected()
                    yield from self._given(self._taken(frames))

    def _stored(self, reader: LogReader, end: int) -> Iterator[Sequence[Record]]:
        """What was there when it connected, as far as a subscription would not have it, or only after a long search."""
        if self._stream != ALL:
            yield from self._pages(reader)
            self._position = end or None
        elif self._first is not None and self._last is None:
            first = next(records_of(reader, Wanted(ALL, self._first, 1)), None)
            if first is None:
                raise NoPosition(self._first)
            self._require()
            self._position = first.position
            yield from self._given([first])

    def _pages(self, reader: LogReader) -> Iterator[Sequence[Record]]:
        page: Sequence[Record] | None = None
        while page is None or len(page) == SHORT_PAGE:
            page = reader.page(self._stream, self._following, SHORT_PAGE)
            if page is None and self._last is None:
                raise UnknownStream(self._stream)
            self._require()
            yield from self._given(page or ())
            if page is None:  # it was deleted since, and may begin again
                return

    def _taken(self, frames: Sequence[Record | CheckpointReached | CaughtUp]) -> Sequence[Record]:
        records = [frame for frame in frames if isinstance(frame, Record)]
        reached = [frame.position for frame in frames if isinstance(frame, CheckpointReached)]
        positions = [
            *(record.position or 0 for record in records),
            *(each for each in reached if each <= LAST_POSITION),
        ]
        self._position = max(positions, default=self._position)
        if self._stream == ALL:
            return records
        return [record for record in records if record.version >= (self._following or 0)]

    def _given(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        """In one batch; of a stream that was deleted for good, what lies before that."""
        before = [record for record in records if self._stream == ALL or record.version != TOMBSTONE_VERSION]
        self._last = before[-1] if before else self._last
        yield before
        if len(before) < len(records):
            raise StreamGone(self._stream)

    @property
    def _following(self) -> int | None:
        return self._first if self._last is None else self._last.version + 1

    def _require_same_log(self, reader: LogReader, end: int) -> None:
        """An older copy, or another log, would be followed as if it went on where the other ended."""
        last, position = self._last, self._position or 0
        if last is not None and last.position is not None:
            position = max(position, last.position)
            if not reader.holds(last.position, last.id):
                raise LogReplaced(last.position)
        if position > end:
            raise LogReplaced(position)

    def _connected(self) -> None:
        if self._failures:
            self._say("the event store is there again")
        self._failures = 0

    def _away(self, error: StoreUnavailable) -> Iterator[Sequence[Record]]:
        if not self._was_there:
            raise error
        if not self._failures:
            self._say(f"{error}; it is tried again")
        self._failures += 1
        again = time.monotonic() + back_off(self._failures, longest=_LONGEST)
        while (left := again - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))
            with suppress(StoreUnavailable):
                self._require()
            yield ()
