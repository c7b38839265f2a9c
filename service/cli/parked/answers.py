"""What is parked, as JSON."""

from datetime import datetime
from typing import Any

from infrastructure.eventstore.consumer_groups import ConsumerGroup
from infrastructure.eventstore.parked_stream import ParkedCount, ParkedMessage
from infrastructure.times import time_text
from service.group_owners import Owner


def group_answer(group: ConsumerGroup, parked: ParkedCount, owner: Owner | None) -> dict[str, Any]:
    """A group and what it has parked: how many, under which numbers, since when."""
    found = parked.found
    return {
        "group": group.key,
        "source": group.source,
        "name": group.name,
        "parked": parked.count,
        "exact": parked.exact,
        "first": None if found is None else found.first,
        "last": None if found is None else found.last,
        "oldest": None if found is None else _time(found.oldest),
        **owner_answer(owner),
    }


def owner_answer(owner: Owner | None) -> dict[str, Any]:
    """The saga that a group belongs to."""
    return {"saga": None if owner is None else owner.saga, "former": None if owner is None else owner.is_former}


def message_answer(message: ParkedMessage) -> dict[str, Any]:
    """A parked message; what is known of the event alone is null where that is gone."""
    event = message.event
    return {
        "number": message.number,
        "at": _time(message.at),
        "by": message.by,
        "reason": message.reason,
        "stream": message.stream,
        "version": message.version,
        "event_id": None if event is None else str(event.id),
        "event_type": None if event is None else event.type,
        "position": None if event is None else event.position,
        "written_at": None if event is None else _time(event.at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)
