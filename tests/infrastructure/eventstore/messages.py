"""Records as the messages in which a store sends them."""

from datetime import UTC, datetime

from esdbclient.protos.Grpc import shared_pb2
from esdbclient.protos.Grpc.streams_pb2 import ReadResp

from infrastructure.eventstore.record import Record
from infrastructure.eventstore.record_messages import RecordMessage

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def message_of(record: Record) -> RecordMessage:
    """What `record_in` reads as this record."""
    about = {"type": record.type, "content-type": record.content_type}
    if record.at is not None:
        about["created"] = str(round((record.at - _BEGINNING).total_seconds() * 10_000_000))
    event = ReadResp.ReadEvent.RecordedEvent(
        id=shared_pb2.UUID(string=str(record.id)),
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=record.stream.encode()),
        stream_revision=record.version,
        prepare_position=record.prepare_position or 0,
        commit_position=record.position or 0,
        metadata=about,
        custom_metadata=record.metadata,
        data=record.data,
    )
    return ReadResp.ReadEvent(event=event, commit_position=record.position or 0)
