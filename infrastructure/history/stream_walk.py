"""Walks the log backwards for the names of its streams, and leaves to the store's filter those it has met often."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate
from typing import Final

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.eventstore.record import TOMBSTONE_VERSION
from infrastructure.eventstore.record_messages import RecordMessage
from infrastructure.eventstore.stream_patterns import EVERY_STREAM, metadata_of, with_metadata, without

_REPEATS: Final = 500  # then the first streams are left out
_LEFT_OUT: Final = 200  # streams at once, since a server compares each name with all of them
_CHARACTERS: Final = 8_000  # of their names
_TOLD: Final = 1_000
_NEVER: Final = 2**63 - 1  # `$tb` of a stream that was deleted, but not for good


def tell_nobody(_: int) -> None:
    """Where nobody wants to hear how far a walk is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What lies before a position (None: all of the log) of the streams whose names match: `records` at most.

    It is walked through no longer than `until`, by that clock; `tell` hears now and then how many were looked at. For
    `patience` seconds the store may search for the next one.
    """

    pattern: str
    records: int
    before: int | None
    until: float
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[int], None] = tell_nobody
    patience: float = 30.0


class StreamWalk:
    """One walk. `looked_at` records were sent so far; it has got to `position`, None: to the log's beginning.

    In memory are the names that were met, so no more than the stretch has records.
    """

    def __init__(self, reader: LogReader, stretch: Stretch) -> None:
        is_from_end = stretch.before is None
        self.looked_at = 0
        self.position: int | None = stretch.before
        self._reader: Final = reader
        self._stretch: Final = stretch
        self._pattern: Final = with_metadata(stretch.pattern) if is_from_end else stretch.pattern
        self._names: Final = _Names()
        self._repeats, self._patience = 0, _REPEATS
        self._is_through = self._asks_for_all = False

    def streams(self) -> Generator[str, None, None]:
        """Each stream once, where its last record is met, but those of which the log says that they are no more.

        The store is asked again as soon as it can leave out more. Where its patience ends before it finds anything, it
        is asked for all there is: then it is known how far that got. Raises StoreUnavailable, also where that finds
        nothing in time.
        """
        while not (self._is_through or self._is_spent()):
            before = self.position
            try:
                yield from self._of_one_call()
            except StoreUnavailable as error:
                found_nothing = self.position == before
                if error.is_away or (found_nothing and self._asks_for_all):
                    raise
                self._asks_for_all = found_nothing
            else:
                self._asks_for_all = False

    def _of_one_call(self) -> Iterator[str]:
        left, sent, self._repeats = self._stretch.records - self.looked_at, 0, 0
        self._stretch.tell(self.looked_at)
        with closing(self._messages(left)) as messages:
            for message in messages:
                sent += 1
                self.position = message.commit_position
                name = message.event.stream_identifier.stream_name.decode()
                if self._counts(name) and self._is_new(name, message):
                    yield name
                if self._is_spent() or self._repeats >= self._patience:
                    self._patience = max(self._patience, 2 * self._repeats)
                    return
        if sent < left:
            self.position, self._is_through = None, True

    def _messages(self, limit: int) -> Generator[RecordMessage, None, None]:
        pattern = EVERY_STREAM if self._asks_for_all else without(self._pattern, self._names.most_frequent())
        rest = max(1.0, self._stretch.until - self._stretch.clock())
        seconds = rest if self._asks_for_all else min(rest, self._stretch.patience)
        return self._reader.messages(pattern, first=self.position, backwards=True, limit=limit, seconds=seconds)

    def _counts(self, name: str) -> bool:
        return not self._asks_for_all or re.fullmatch(self._pattern, name) is not None

    def _is_new(self, name: str, message: RecordMessage) -> bool:
        self.looked_at += 1
        if self.looked_at % _TOLD == 0:
            self._stretch.tell(self.looked_at)
        is_new = self._names.is_new(name, message)
        self._names.add(name, message)
        self._repeats += not is_new
        return is_new

    def _is_spent(self) -> bool:
        return self.looked_at >= self._stretch.records or self._stretch.clock() > self._stretch.until


class _Names:
    """The streams that were met, each with the number of its records, the newest first."""

    def __init__(self) -> None:
        self._met: Final = Counter[str]()
        self._with_metadata: Final = set[str]()

    def is_new(self, name: str, message: RecordMessage) -> bool:
        """Whether the record is the first of a user's stream, which is not deleted by it."""
        is_first = name not in self._met and metadata_of(name) is None
        return is_first and message.event.stream_revision != TOMBSTONE_VERSION

    def add(self, name: str, message: RecordMessage) -> None:
        """One more record, of a stream or of its metadata."""
        stream = metadata_of(name)
        if stream is None:
            self._met[name] += 1
        else:
            self._add_metadata(stream, message.event.data)

    def most_frequent(self) -> list[str]:
        """Those met again and again, as many as a filter can bear."""
        frequent = nlargest(
            _LEFT_OUT, (name for name, number in self._met.items() if number > 1), self._met.__getitem__
        )
        return [name for name, end in zip(frequent, accumulate(map(len, frequent)), strict=True) if end <= _CHARACTERS]

    def _add_metadata(self, stream: str, document: bytes) -> None:
        """The newest counts: where that says that all is deleted, and nothing came after it, the stream is no more."""
        if stream not in self._met and stream not in self._with_metadata:
            self._with_metadata.add(stream)
            if _deletes(document):
                self._met[stream] = 1


def _deletes(document: bytes) -> bool:
    try:
        metadata = json.loads(document)
    except (ValueError, RecursionError):
        return False
    return isinstance(metadata, dict) and metadata.get("$tb") == _NEVER
