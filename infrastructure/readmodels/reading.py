"""What a projection makes of the log's records: which ones it decodes, and which it passes by."""

from typing import Any

from esdbclient import RecordedEvent

from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.errors import UnknownEventType
from infrastructure.subscriptions.catch_up import Read
from infrastructure.subscriptions.frames import CheckpointReached, Frame, Happened
from projections.projection import Projection


def reader_of(projection: Projection[Any], codec: EventCodec) -> Read:
    """Decodes what the projection handles; ignored events and the system's own only move the checkpoint.

    An older record may mean several events, and others than its name says: it is decoded to be told. The reader
    raises UnknownEventType for anything else, UnknownEventVersion and UnreadableEvent.
    """
    handled = {name for event in projection.handlers for name in event.stored_names()}
    passed = {name for event in projection.ignored for name in event.stored_names()} - handled
    concerned = projection.handlers.keys() | projection.ignored

    def read(recorded: RecordedEvent) -> Frame:
        position = recorded.commit_position or 0
        if recorded.type in handled:
            events = codec.events_in(recorded)
            for event in events:
                if type(event.event) not in concerned:
                    raise UnknownEventType(event.stream, event.version, position, event.event.stored_name)
            return Happened(events)
        if recorded.type in passed or recorded.type.startswith("$"):
            return CheckpointReached(position)
        raise UnknownEventType(recorded.stream_name, recorded.stream_position, position, recorded.type)

    return read
