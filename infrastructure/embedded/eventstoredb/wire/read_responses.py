"""Turns rows of the log into response frames, in the form that the request names."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.storage.frames import ReadEvent, decode_frame, frame, recorded_event
from infrastructure.embedded.eventstoredb.storage.record import LogRecord
from infrastructure.embedded.eventstoredb.storage.rows import Row
from infrastructure.embedded.eventstoredb.streams.links import LINK, is_link

ReadResp = streams_pb2.ReadResp
CAUGHT_UP = frame(ReadResp(caught_up=ReadResp.CaughtUp()).SerializeToString())
FELL_BEHIND = frame(ReadResp(fell_behind=ReadResp.FellBehind()).SerializeToString())


@dataclass(frozen=True, slots=True)
class EventRenderer:
    """Ids as text or structured; links as they are or followed."""

    log: EventLog
    structured_uuid: bool
    resolve_links: bool

    def page(self, rows: Iterable[Row]) -> bytes:
        """The frames of many events; as they are stored, that is a concatenation."""
        if self.structured_uuid or self.resolve_links:
            return b"".join([self.event(row) for row in rows])
        return b"".join([row[3] for row in rows])

    def event(self, row: Row) -> bytes:
        """The frame of one event."""
        _, _, kind, stored = row
        if self.resolve_links and kind == LINK:
            record = decode_frame(stored)
            if is_link(record):
                return _resolved_frame(record, self.log.resolve(record), self.structured_uuid)
        return _structured_frame(decode_frame(stored)) if self.structured_uuid else stored


def confirmation() -> bytes:
    """The first frame of every subscription."""
    confirmed = ReadResp.SubscriptionConfirmation(subscription_id=str(uuid4()))
    return frame(ReadResp(confirmation=confirmed).SerializeToString())


def checkpoint(position: int) -> bytes:
    """Everything up to this position was looked at."""
    reached = ReadResp.Checkpoint(commit_position=position, prepare_position=position)
    return frame(ReadResp(checkpoint=reached).SerializeToString())


def stream_not_found(stream: str) -> bytes:
    """Instead of the events of a stream that has none to show."""
    identifier = shared_pb2.StreamIdentifier(stream_name=stream.encode())
    missing = ReadResp.StreamNotFound(stream_identifier=identifier)
    return frame(ReadResp(stream_not_found=missing).SerializeToString())


def first_stream_position(number: int) -> bytes:
    return frame(ReadResp(first_stream_position=number).SerializeToString())


def last_stream_position(number: int) -> bytes:
    return frame(ReadResp(last_stream_position=number).SerializeToString())


def _resolved_frame(original: LogRecord, target: LogRecord | None, structured_uuid: bool) -> bytes:
    """The framed response for a link and its target; without one the client gets the link alone."""
    event = ReadEvent(link=recorded_event(original, structured_uuid), commit_position=original.position)
    if target is not None:
        event.event.CopyFrom(recorded_event(target, structured_uuid))
    return frame(ReadResp(event=event).SerializeToString())


def _structured_frame(record: LogRecord) -> bytes:
    """The framed response for a reader who takes ids as two numbers."""
    event = ReadEvent(event=recorded_event(record, structured_uuid=True), commit_position=record.position)
    return frame(ReadResp(event=event).SerializeToString())
