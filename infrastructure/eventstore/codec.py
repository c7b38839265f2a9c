"""Turns events into what the store keeps, and back."""

from collections.abc import Iterable
from typing import Any, Final, NoReturn
from uuid import UUID

from esdbclient import NewEvent, RecordedEvent
from pydantic import ValidationError

from domain.message import Event, Metadata, Recorded
from infrastructure.eventstore.errors import UnknownEventType, UnreadableEvent


class EventCodec:
    """Knows every event type by its stored name and version.

    Payload and metadata are JSON; a Decimal is stored as text. Members that a newer writer added are ignored.
    """

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self._types: Final[dict[tuple[str, int], type[Event]]] = {}
        self._names: Final[set[str]] = set()
        for event in events:
            known = self._types.setdefault((event.stored_name, event.stored_version), event)
            if known is not event:
                raise ValueError(f"{known} and {event} are both stored as {event.stored_name} {event.stored_version}")
            self._names.add(event.stored_name)

    def encode(self, event: Event, event_id: UUID, metadata: Metadata) -> NewEvent:
        """The event as it is sent; its own stored version is what the metadata will say.

        Raises ValueError for an event that `decode` could not read again.
        """
        if self._types.get((event.stored_name, event.stored_version)) is not type(event):
            raise ValueError(f"{type(event).__name__} is not among the events of this codec")
        stamped = metadata.model_copy(update={"schema_version": event.stored_version})
        return NewEvent(
            type=event.stored_name,
            data=event.model_dump_json().encode(),
            metadata=stamped.model_dump_json(by_alias=True).encode(),
            content_type="application/json",
            id=event_id,
        )

    def decode(self, recorded: RecordedEvent) -> Recorded[Any]:
        """The event as the log holds it. Raises UnknownEventType or UnreadableEvent, which say where it lies."""
        if recorded.type not in self._names:
            raise _unknown(recorded, recorded.type)
        try:
            metadata = Metadata.model_validate_json(recorded.metadata)
            event = self._type(recorded, metadata.schema_version).model_validate_json(recorded.data)
        except ValidationError as error:
            _unreadable(recorded, _first_of(error), error)
        if recorded.commit_position is None or recorded.recorded_at is None:
            _unreadable(recorded, "the server did not say where and when it was written")
        return Recorded(
            event=event,
            id=recorded.id,
            stream=recorded.stream_name,
            version=recorded.stream_position,
            position=recorded.commit_position,
            at=recorded.recorded_at,
            metadata=metadata,
        )

    def _type(self, recorded: RecordedEvent, schema_version: int) -> type[Event]:
        known = self._types.get((recorded.type, schema_version))
        if known is None:
            raise _unknown(recorded, f"{recorded.type} version {schema_version}")
        return known


def _unknown(recorded: RecordedEvent, type_and_version: str) -> UnknownEventType:
    stream, version, position = recorded.stream_name, recorded.stream_position, recorded.commit_position or 0
    return UnknownEventType(stream, version, position, type_and_version)


def _unreadable(recorded: RecordedEvent, reason: str, cause: Exception | None = None) -> NoReturn:
    stream, version, position = recorded.stream_name, recorded.stream_position, recorded.commit_position or 0
    raise UnreadableEvent(stream, version, position, f"{recorded.type}: {reason}") from cause


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
