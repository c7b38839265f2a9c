"""Events as the log would hold them, in its order: one a minute, each in the stream of its aggregate."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from domain.message import Event, Metadata, Recorded
from domain.stream_name import stream_of_row

FIRST_POSITION: Final = 1000
Log: TypeAlias = Sequence[tuple[str, Event]]
"""Pairs of a row's key, which ends in a hexadecimal digit, and an event of its stream."""
_BEGINNING: Final = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
_METADATA: Final = Metadata(
    correlation_id=UUID(int=1),
    causation_id=UUID(int=2),
    command_id=UUID(int=3),
    digest="",
    actor="anonymous",
    tenant="default",
    schema_version=1,
    time=_BEGINNING,
)


def at(number: int) -> datetime:
    """When the event with this number, from 0, was written."""
    return _BEGINNING + timedelta(minutes=number)


def position(number: int) -> int:
    """Where it stands: others write in between."""
    return FIRST_POSITION + 10 * number


def recorded(category: str, log: Log) -> list[Recorded[Any]]:
    """The events of a log of this category; in a stream alone a number is also a version."""
    versions: Counter[str] = Counter()
    events = []
    for number, (row_key, event) in enumerate(log):
        events.append(
            Recorded(
                event=event,
                id_or_text=UUID(int=number),
                stream=stream_of_row(category, row_key),
                version=versions[row_key],
                position=position(number),
                at=at(number),
                metadata_or_read=_METADATA,
            )
        )
        versions[row_key] += 1
    return events
