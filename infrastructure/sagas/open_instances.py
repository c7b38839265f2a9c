"""Finds the instances of a saga that have not ended, by reading the log from its beginning."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from infrastructure.eventstore.errors import StreamGone
from infrastructure.eventstore.log import Log
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern
from infrastructure.eventstore.streams import PAGE
from infrastructure.sagas.errors import CodeMissing
from infrastructure.sagas.quarantine_state import Standing
from infrastructure.sagas.words import Reading, Words

Status: TypeAlias = Literal["running", "paused", "failed"]
_AT_ONCE: Final = 16
_SCAN_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class OpenInstance:
    """`failed` is one that stopped. `steps` are pending; none are where it can't be folded.

    `at` is the time of its last event.
    """

    stream: str
    status: Status
    steps: tuple[str, ...]
    at: datetime | None


async def open_instances(category: str, words: Words, log: Log) -> AsyncIterator[OpenInstance]:
    """Of every tenant, those that began first come first.

    Raises StoreUnavailable, and what a note that can't be read raises.
    """
    position, complete = None, False
    while not complete:
        page, complete = await log.following(category_pattern([category]), position, PAGE, _SCAN_SECONDS)
        position = page[-1].position if page else position
        for found in await _looked_at([record for record in page if record.version == 0], words):
            if found is not None:
                yield found


async def _looked_at(firsts: Sequence[Record], words: Words) -> list[OpenInstance | None]:
    found: list[OpenInstance | None] = []
    for start in range(0, len(firsts), _AT_ONCE):
        found += await asyncio.gather(*(look_at(first.stream, words) for first in firsts[start : start + _AT_ONCE]))
    return found


async def look_at(stream: str, words: Words) -> OpenInstance | None:
    """The instance of this stream, None where it has ended. Raises as above."""
    try:
        reading = await words.read(stream)
    except StreamGone:
        return None
    if reading.last is None or (not reading.standing.stands_still and _has_ended(reading)):
        return None
    return OpenInstance(stream, _status(reading.standing), _steps(reading), reading.last.at)


def _has_ended(reading: Reading) -> bool:
    """One whose end this build can't tell has not."""
    try:
        return reading.fault is None and reading.has_ended
    except CodeMissing:
        return False


def _status(standing: Standing) -> Status:
    if standing.stopped is not None:
        return "failed"
    return "running" if standing.paused is None else "paused"


def _steps(reading: Reading) -> tuple[str, ...]:
    try:
        return () if reading.fault is not None else tuple(ask.step for ask in reading.instance.pending)
    except CodeMissing:
        return ()
