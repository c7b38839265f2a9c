"""Lists the streams of a store as its log tells them, the last written first: no system projection is needed."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader

_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class ListedStream:
    """A stream by its last event. `events` counts those that were truncated away, too."""

    stream: str
    events: int
    last_type: str
    last_at: datetime | None
    position: int


@dataclass(frozen=True, slots=True)
class StreamPage:
    """The streams, how many records were looked at for them, and the position before which others are found.

    That is None where the log has been looked through to its beginning.
    """

    streams: tuple[ListedStream, ...]
    looked_at: int
    following: int | None


@dataclass(frozen=True, slots=True)
class StreamSearch:
    """Which streams: those whose names match, at most `limit`, of the last `records` before a position (None: all)."""

    pattern: str
    limit: int
    records: int
    before: int | None = None


def list_streams(reader: LogReader, search: StreamSearch, clock: Callable[[], float] = time.monotonic) -> StreamPage:
    """Reads the log backwards, with the store's own filter, and each stream's last event once, for a minute at most.

    In memory are the names of the streams that were met, so no more than `search.records`. A stream that was deleted is
    left out, and so is one that was written at or after `search.before`: the page before has it. Raises
    StoreUnavailable, also where the store finds nothing for two minutes.
    """
    found, met, looked_at, position = list[ListedStream](), set[str](), 0, search.before
    until = clock() + _SECONDS
    with closing(
        reader.messages(search.pattern, first=search.before, backwards=True, limit=search.records)
    ) as messages:
        for message in messages:
            looked_at, position = looked_at + 1, message.commit_position
            stream = message.event.stream_identifier.stream_name.decode()
            if stream not in met:
                met.add(stream)
                found += _listed(reader, stream, search.before)
            if len(found) == search.limit or clock() > until:
                break
        else:
            if looked_at < search.records:
                position = None
    return StreamPage(tuple(found), looked_at, position)


def _listed(reader: LogReader, stream: str, before: int | None) -> Iterator[ListedStream]:
    """The stream, unless it is no more, or was written since."""
    try:
        newest = reader.page(stream, None, 1, backwards=True)
    except StreamGone:
        return
    for last in newest or ():
        position = last.position or 0
        if before is None or position < before:
            yield ListedStream(last.stream, last.version + 1, last.type, last.at, position)
