"""What a command of a saga left in its target's stream."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from domain.message import Event


class StoredReply(tuple[Event, ...]):
    """The events in their order, and the id of the last of them, by which a later command may refer to it."""

    last_id: UUID

    def __new__(cls, events: Iterable[Event], last_id: UUID) -> "StoredReply":
        reply = super().__new__(cls, events)
        reply.last_id = last_id
        return reply


def last_id_of(reply: Sequence[Event]) -> str:
    """The id as events hold it. Raises TypeError for events of which nobody has said where they stand."""
    if not isinstance(reply, StoredReply):
        raise TypeError("a reply to which a later command refers has the id of its last event")
    return str(reply.last_id)
