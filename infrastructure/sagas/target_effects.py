"""What the commands of instances left in the streams that they asked, found by the events that caused them."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence, Set
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from domain.message import Recorded
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UNREADABLE
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.replay import Answer

_CAUSE: Final = re.compile(rb'"\$causationId":"([0-9a-f-]{36})"')


class TargetEffects:
    """A stream of several pages, which many instances have asked, is read once: it is kept where what stands there.

    That is some two hundred bytes for each of its records. All of it raises StoreUnavailable.
    """

    def __init__(self, streams: Streams, codec: EventCodec) -> None:
        self._streams: Final = streams
        self._codec: Final = codec
        self._long: Final[dict[str, _Places]] = {}

    async def left_in(self, target: str, since: int, causes: Set[bytes]) -> list[Answer]:
        """What commands with these causes, ids as text, left there.

        They were sent after that position: nothing before is read.
        """
        left: dict[UUID, list[Recorded[Any]]] = {}
        for record in await self._caused(target, since, causes):
            for recorded in self._read(record):
                left.setdefault(recorded.metadata.command_id, []).append(recorded)
        return [_answer(target, events) for events in left.values()]

    async def _caused(self, target: str, since: int, causes: Set[bytes]) -> Sequence[Record]:
        """The records that these caused, in their order."""
        known = self._long.get(target)
        if known is None or since < known.since:
            return await self._newest(target, since, causes)
        while page := await self._streams.records(target, known.end, PAGE):
            known.add(page)  # what was written since
        found = list[Record]()
        for block, versions in groupby(known.of(causes), lambda version: version // PAGE):
            wanted = set(versions)
            page = await self._streams.records(target, block * PAGE, PAGE) or []
            found += [record for record in page if record.version in wanted]
        return found

    async def _newest(self, target: str, since: int, causes: Set[bytes]) -> Sequence[Record]:
        places, found, pages = _Places(since), list[Record](), 0
        async for page in self._backwards(target, since):
            pages += 1
            places.add(page)
            found += [record for record in page if _cause_of(record) in causes]
        if pages > 1:
            self._long[target] = places
        return found[::-1]

    async def _backwards(self, target: str, since: int) -> AsyncIterator[list[Record]]:
        """Page by page to that position, or the beginning of the stream."""
        first: int | None = None
        while True:
            page = await self._streams.records(target, first, PAGE, backwards=True) or []
            yield [record for record in page if (record.position or 0) > since]
            if len(page) < PAGE or (page[-1].position or 0) <= since or page[-1].version == 0:
                return
            first = page[-1].version - 1

    def _read(self, record: Record) -> list[Recorded[Any]]:
        """Its events. What nobody can read, no command of a saga has left."""
        try:
            return self._codec.events_in(record)
        except UNREADABLE:
            return []


class _Places:
    """The versions of a stream's records after a position, by what caused them."""

    def __init__(self, since: int) -> None:
        self.since: Final = since
        self.end = 0
        self._versions: Final[dict[bytes, list[int]]] = {}

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            self._versions.setdefault(_cause_of(record), []).append(record.version)
            self.end = max(self.end, record.version + 1)

    def of(self, causes: Set[bytes]) -> list[int]:
        """In their order."""
        return sorted(version for cause in self._versions.keys() & causes for version in self._versions[cause])


def _cause_of(record: Record) -> bytes:
    """The id of the event that caused it, as text; nothing where it names none."""
    found = _CAUSE.search(record.metadata)
    return b"" if found is None else found[1]


def _answer(target: str, events: Sequence[Recorded[Any]]) -> Answer:
    last = events[-1]
    told = last.metadata
    return Answer(
        target, told.causation_id, told.command_id, told.digest, last.id, tuple(each.event for each in events)
    )
