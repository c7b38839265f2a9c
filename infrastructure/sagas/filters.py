"""A saga's filter: the pattern of what wakes it, the id and the group that follow from it, and those it had before."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.message import Event
from domain.saga import Saga
from domain.stream_name import stream_name
from infrastructure.eventstore.errors import ConcurrencyConflict, UnreadableEvent, WrongExpectedVersion
from infrastructure.eventstore.record import NewRecord, Record
from infrastructure.eventstore.retained_stream import RetainedStream
from infrastructure.eventstore.streams import PAGE, Streams

_FORMAT: Final = 1
_ATTEMPTS: Final = 5
_DIGEST: Final = 12  # hexadecimal digits


def pattern_of(saga: Saga[Any, Any]) -> str:
    """One regular-expression group that matches the stored names of what wakes the saga, the older ones too.

    An operator's word that an instance is to go on wakes every saga, whose coordinator looks whether it is its own; so
    do a deadline that passed and a signal, those that have any.
    """
    return pattern_of_events(saga.messages)


def pattern_of_events(events: Iterable[type[Event]]) -> str:
    """One regular-expression group that matches the stored names of these events, the older ones too."""
    names = sorted({name for event in events for name in event.stored_names()})
    return f"(?:{'|'.join(re.escape(name) for name in names)})"


def filter_id(pattern: str) -> UUID:
    """The id of a filter with this pattern."""
    return uuid5(NAMESPACE_OID, pattern)


def group_name(saga_groups: str, own: UUID) -> str:
    """The group of consumers that share the messages of a filter; `saga_groups` is how those of its saga begin.

    A group keeps the filter that it was made with, so another filter has another group.
    """
    return f"{saga_groups}-{own.hex[:_DIGEST]}"


def is_group_of(saga_groups: str, name: str) -> bool:
    """Whether a group is one of a saga's, whose groups' names begin so: of this filter or of another, or the first."""
    return re.fullmatch(f"{re.escape(saga_groups)}(?:-[0-9a-f]{{{_DIGEST}}})?", name) is not None


class SagaFilters:
    """All filters that a saga has ever had on this store, each one record of a stream of their own."""

    def __init__(self, streams: Streams, category: str) -> None:
        self._retained: Final = RetainedStream(streams, stream_name(f"{category}_filters", "0"), None)

    async def declare(self, pattern: str) -> list[UUID]:
        """The ids of the other filters, the newest first; this one is noted where it is new.

        Raises StoreUnavailable, UnreadableEvent, ConcurrencyConflict, and what appending raises.
        """
        own = filter_id(pattern)
        for _ in range(_ATTEMPTS):
            records = await self._retained.records(0, PAGE)
            known = [_filter_in(record) for record in records]
            if own in known:
                return [each for each in reversed(known) if each != own]
            stored = {"format": _FORMAT, "filter": str(own), "pattern": pattern}
            record = NewRecord("SagaFilterDeclared", json.dumps(stored).encode())
            try:
                await self._retained.append(record, records[-1].version if records else None)
            except WrongExpectedVersion:
                continue  # another worker was faster
            return known[::-1]
        raise ConcurrencyConflict(self._retained.name, _ATTEMPTS)


def _filter_in(record: Record) -> UUID:
    place = record.stream, record.version, record.position or 0
    try:
        stored = json.loads(record.data)
        if stored["format"] > _FORMAT:
            raise UnreadableEvent(*place, f"a later release has stored it, in format {stored['format']}")
        return UUID(stored["filter"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEvent(*place, "it holds no filter of a saga") from error
