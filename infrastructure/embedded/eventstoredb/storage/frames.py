"""The stored form of a record, which is the framed message that a reader gets, and the way back."""

from uuid import UUID

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.storage.record import LogRecord

RecordedEvent = streams_pb2.ReadResp.ReadEvent.RecordedEvent
ReadEvent = streams_pb2.ReadResp.ReadEvent
JSON, BINARY = "application/json", "application/octet-stream"


def frame(message: bytes) -> bytes:
    """One message as gRPC frames it: not compressed, its length in four bytes, the message."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def encode_id(value: UUID, structured: bool = False) -> shared_pb2.UUID:
    """As text, or as the two signed halves of its 16 bytes."""
    if not structured:
        return shared_pb2.UUID(string=str(value))
    high, low = (int.from_bytes(half, "big", signed=True) for half in (value.bytes[:8], value.bytes[8:]))
    return shared_pb2.UUID(
        structured=shared_pb2.UUID.Structured(most_significant_bits=high, least_significant_bits=low)
    )


def decode_id(message: shared_pb2.UUID) -> UUID:
    """Raises ValueError when the message holds no id."""
    if message.WhichOneof("value") == "structured":
        halves = (message.structured.most_significant_bits, message.structured.least_significant_bits)
        return UUID(bytes=b"".join(half.to_bytes(8, "big", signed=True) for half in halves))
    return UUID(message.string)


def recorded_event(record: LogRecord, structured_uuid: bool = False) -> RecordedEvent:
    """The event's part of a streams response."""
    return RecordedEvent(
        id=encode_id(record.id, structured_uuid),
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=record.stream.encode()),
        stream_revision=record.number,
        prepare_position=record.position,
        commit_position=record.position,
        metadata={
            "type": record.type,
            "created": str(record.created),
            "content-type": JSON if record.is_json else BINARY,
        },
        custom_metadata=record.metadata,
        data=record.data,
    )


def encode_recorded_event(record: LogRecord, structured_uuid: bool = False) -> bytes:
    """The same as bytes: the persistent subscriptions' message has the same fields and numbers."""
    return recorded_event(record, structured_uuid).SerializeToString()


def encode_frame(record: LogRecord) -> bytes:
    """The whole framed response for a reader who resolves no links and takes ids as text."""
    event = ReadEvent(event=recorded_event(record), commit_position=record.position)
    return frame(streams_pb2.ReadResp(event=event).SerializeToString())


def decode_frame(stored: bytes) -> LogRecord:
    """The record behind a frame made by `encode_frame`."""
    event = streams_pb2.ReadResp.FromString(stored[5:]).event.event
    return LogRecord(
        position=event.commit_position,
        stream=event.stream_identifier.stream_name.decode(),
        number=event.stream_revision,
        id=UUID(event.id.string),
        type=event.metadata["type"],
        is_json=event.metadata["content-type"] == JSON,
        created=int(event.metadata["created"]),
        data=event.data,
        metadata=event.custom_metadata,
    )
