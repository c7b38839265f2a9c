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

    The reader raises UnknownEventType for anything else, and UnreadableEvent.
    """
    handled = {event.stored_name for event in projection.handlers}
    passed = {event.stored_name for event in projection.ignored} - handled

    def read(recorded: RecordedEvent) -> Frame:
        if recorded.type in handled:
            return Happened(codec.decode(recorded))
        position = recorded.commit_position or 0
        if recorded.type in passed or recorded.type.startswith("$"):
            return CheckpointReached(position)
        raise UnknownEventType(recorded.stream_name, recorded.stream_position, position, recorded.type)

    return read
