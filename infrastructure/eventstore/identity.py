"""Tells one event store from another: by an event that the first service to come writes into it."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

import stamina
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.exceptions import NotFound, StreamIsDeleted, WrongCurrentVersion

from infrastructure.eventstore.client import address_of, raise_if_cancelled, translated
from infrastructure.eventstore.errors import RaceLost, StreamGone, UnreadableEvent

IDENTITY_STREAM: Final = "foldstream-store-identity"
_SECONDS: Final = 2.5


def store_identity(client: EventStoreDBClient) -> str:
    """The id of the store behind this client, given to it now if it had none; the same for all who ask.

    Raises StoreUnavailable, StreamGone, UnreadableEvent.
    """
    for attempt in stamina.retry_context(on=RaceLost, attempts=5, timeout=5.0, wait_initial=0.01, wait_max=0.2):
        with attempt, translated(address_of(client)):
            return _read(client) or _write(client)
    raise AssertionError("stamina ends with a result or an error")


async def known_identity(client: AsyncEventStoreDBClient, seconds: float) -> str | None:
    """The id of the store behind this client, None where nobody has given it one yet; nothing is written.

    To be called within `bounded`. Raises StreamGone, UnreadableEvent.
    """
    try:
        events = await client.get_stream(IDENTITY_STREAM, limit=1, timeout=seconds)
    except NotFound:
        return None
    except StreamIsDeleted as error:
        raise StreamGone(IDENTITY_STREAM) from error
    raise_if_cancelled()  # a call that is cut short looks like an empty stream
    return _first_of(events)


def _read(client: EventStoreDBClient) -> str | None:
    try:
        events = client.get_stream(IDENTITY_STREAM, limit=1, timeout=_SECONDS)
    except NotFound:
        return None
    except StreamIsDeleted as error:
        raise StreamGone(IDENTITY_STREAM) from error
    return _first_of(events)


def _first_of(events: Sequence[RecordedEvent]) -> str:
    if not events:
        raise StreamGone(IDENTITY_STREAM)
    recorded = events[0]
    try:
        return str(UUID(json.loads(recorded.data)["store_id"]))
    except (KeyError, TypeError, ValueError) as error:
        version, position = recorded.stream_position, recorded.commit_position or 0
        raise UnreadableEvent(IDENTITY_STREAM, version, position, "it holds no store_id") from error


def _write(client: EventStoreDBClient) -> str:
    store_id = uuid4()
    event = NewEvent(type="StoreIdentified", data=json.dumps({"store_id": str(store_id)}).encode(), id=store_id)
    try:
        client.append_to_stream(IDENTITY_STREAM, current_version=StreamState.NO_STREAM, events=event, timeout=_SECONDS)
    except WrongCurrentVersion as error:
        raise RaceLost(IDENTITY_STREAM, None) from error
    return str(store_id)
