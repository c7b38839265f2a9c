"""Lists the streams of a store as its log tells them, the last written first: no system projection is needed."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log_reader import LogReader
from infrastructure.history.stream_walk import StreamWalk, Stretch, tell_nobody

_SECONDS: Final = 60.0
_AT_ONCE: Final = 16  # reads of last events: a store far away answers them in one round trip


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


def list_streams(
    reader: LogReader,
    search: StreamSearch,
    clock: Callable[[], float] = time.monotonic,
    tell: Callable[[int], None] = tell_nobody,
) -> StreamPage:
    """Walks the log backwards, and reads each stream's last event once, some at once, for a minute at most.

    In memory are the names of the streams that were met, so no more than `search.records`. A stream that was deleted is
    left out, and so is one that was written at or after `search.before`: the page before has it. `tell` hears now and
    then how many events were looked at. Raises StoreUnavailable.
    """
    stretch = Stretch(
        pattern=search.pattern,
        records=search.records,
        before=search.before,
        until=clock() + _SECONDS,
        clock=clock,
        tell=tell,
    )
    walk, found = StreamWalk(reader, stretch), list[ListedStream]()
    listed = partial(_listed, reader, search.before)
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="streams")
    try:
        with closing(walk.streams()) as streams:
            while names := list(islice(streams, min(_AT_ONCE, search.limit - len(found)))):
                found += filter(None, threads.map(listed, names))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # whoever closes the reader ends what they wait for
    return StreamPage(tuple(found), walk.looked_at, walk.position)


def _listed(reader: LogReader, before: int | None, stream: str) -> ListedStream | None:
    """The stream, unless it is no more, or was written since."""
    try:
        newest = reader.page(stream, None, 1, backwards=True)
    except StreamGone:
        return None
    if not newest:
        return None
    last, position = newest[0], newest[0].position or 0
    if before is not None and position >= before:
        return None
    return ListedStream(last.stream, last.version + 1, last.type, last.at, position)
