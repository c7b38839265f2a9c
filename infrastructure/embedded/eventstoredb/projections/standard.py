"""The five system projections of EventStoreDB: which link each of them makes of an event, and in which stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from infrastructure.embedded.eventstoredb.projections.source_events import SourceEvent
from infrastructure.embedded.eventstoredb.streams.links import LINK

STREAM_REFERENCE: Final = "$@"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DELETED: Final[Mapping[str, object]] = {"$deleted": -1}


@dataclass(frozen=True, slots=True)
class Link:
    """An event to write to the stream `target`; `extra` is what its metadata says beyond where it comes from."""

    target: str
    type: str
    data: bytes
    extra: Mapping[str, object] = field(default_factory=dict)


Rule: TypeAlias = Callable[[SourceEvent], Link | None]


@dataclass(frozen=True, slots=True)
class Projection:
    """`number` is what its links call it."""

    name: str
    number: int
    link: Rule


def by_category(source: SourceEvent) -> Link | None:
    """A link that a client wrote is passed on as it is; a delete is one more event of its stream."""
    record = source.record
    origin = source.subject if source.deletes else record.stream
    category = _category(origin)
    if category is None:
        return None
    data = record.data if record.type == LINK else _address(source)
    extra = {"$o": origin, **(_DELETED if source.deletes else {})}
    return Link(f"$ce-{category}", LINK, data, extra)


def by_event_type(source: SourceEvent) -> Link | None:
    """Of a metadata event the number goes with the name of the other stream: so does EventStoreDB."""
    record = source.record
    if record.type == LINK:
        return None
    kind = "$deleted" if source.deletes else record.type
    data = f"{record.number}@{source.subject}".encode()
    return Link(f"$et-{kind}", LINK, data, _DELETED if source.deletes else {})


def by_correlation_id(source: SourceEvent) -> Link | None:
    record = source.record
    if source.correlation_id is None or record.type == LINK:
        return None
    time = _EPOCH + timedelta(microseconds=record.created // 10)
    extra = {"$eventTimestamp": f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"}
    return Link(f"$bc-{source.correlation_id}", LINK, _address(source), extra)


def streams(source: SourceEvent) -> Link | None:
    return None if source.record.number else Link("$streams", LINK, _address(source))


def stream_by_category(source: SourceEvent) -> Link | None:
    record = source.record
    category = None if record.number else _category(record.stream)
    return None if category is None else Link(f"$category-{category}", STREAM_REFERENCE, record.stream.encode())


STANDARD: Final = (
    Projection("$by_category", 1, by_category),
    Projection("$by_event_type", 2, by_event_type),
    Projection("$by_correlation_id", 3, by_correlation_id),
    Projection("$streams", 4, streams),
    Projection("$stream_by_category", 5, stream_by_category),
)


def _category(stream: str) -> str | None:
    """What comes before the first dash, if that is anything; system streams have none."""
    category, dash, _ = stream.partition("-")
    return category if dash and category and not stream.startswith("$") else None


def _address(source: SourceEvent) -> bytes:
    return f"{source.record.number}@{source.record.stream}".encode()
