"""Records as the store sends them: who needs a few members only reads them off the message."""

from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from esdbclient.protos.Grpc.streams_pb2 import ReadResp

from infrastructure.eventstore.record import Record, RecordHeader

RecordMessage: TypeAlias = ReadResp.ReadEvent
"""Outside this folder it is only handed on: to `record_in`, to `weight_of` and to the codec."""


def record_in(message: RecordMessage) -> Record:
    """All of it, for a third of what the client's records cost."""
    event = message.event
    metadata = event.metadata
    return Record(
        event.stream_identifier.stream_name.decode(),
        event.stream_revision,
        message.commit_position,
        UUID(event.id.string),
        metadata["type"],
        event.data,
        event.custom_metadata,
        time_of(metadata["created"]),
        metadata["content-type"],
        event.prepare_position,
    )


def header_in(stream: str, message: RecordMessage) -> RecordHeader:
    """What a search looks at, of a record of this stream."""
    event = message.event
    return RecordHeader(
        stream, event.stream_revision, message.commit_position, event.metadata["type"], event.custom_metadata
    )


def weight_of(message: RecordMessage) -> int:
    """What it takes of memory, in bytes, as far as the log's contents decide that."""
    event = message.event
    return len(event.data) + len(event.custom_metadata)


def time_of(ticks: str) -> datetime | None:
    """The server's clock, in tenths of microseconds since 1970; None where an old server did not say."""
    return datetime.fromtimestamp(int(ticks) / 10_000_000.0, tz=UTC) if ticks else None
