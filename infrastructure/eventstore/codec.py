"""Turns events into what the store keeps, and back."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NoReturn
from uuid import UUID

from esdbclient import NewEvent, RecordedEvent
from pydantic import ValidationError

from domain.message import Event, Metadata, Recorded
from infrastructure.eventstore.errors import UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.schema import Schema, Unfit, UnknownShape, first_of

_AS_WRITTEN_HERE: Final = re.compile(
    rb'\{"\$correlationId":"[0-9a-f-]{36}","\$causationId":"[0-9a-f-]{36}","command_id":"[0-9a-f-]{36}",'
    rb'"digest":"[^"\\]*","actor":"[^"\\]*","tenant":"[^"\\]*","schema_version":([0-9]{1,9}),"time":"[0-9TZ:.+-]+"\}'
)
"""Metadata as `encode` writes it: then the version is read, and the rest when it is asked for."""


class EventCodec:
    """Knows every event type by its stored names and versions, those of the past included.

    Payload and metadata are JSON; a Decimal is stored as text. Members that a newer writer added are ignored.
    """

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.schema: Final = Schema(events)

    def encode(self, event: Event, event_id: UUID, metadata: Metadata) -> NewEvent:
        """The event as it is sent; its own stored version is what the metadata will say.

        Raises ValueError for an event that `events_in` could not read again.
        """
        if not self.schema.declares(type(event)):
            raise ValueError(f"{type(event).__name__} is not among the events of this codec")
        stamped = metadata.model_copy(update={"schema_version": event.stored_version})
        return NewEvent(
            type=event.stored_name,
            data=event.model_dump_json().encode(),
            metadata=stamped.model_dump_json(by_alias=True).encode(),
            content_type="application/json",
            id=event_id,
        )

    def events_in(self, recorded: RecordedEvent) -> list[Recorded[Any]]:
        """What a record of the log means today: one event, or several where an older one meant more.

        Raises UnknownEventType, UnknownEventVersion or UnreadableEvent, which say where it lies. Metadata that looks
        like ours is read when it is asked for, and raises UnreadableEvent then.
        """
        if recorded.type not in self.schema.names:
            raise UnknownEventType(*_place(recorded), recorded.type)
        written = _AS_WRITTEN_HERE.fullmatch(recorded.metadata)
        if written is None:
            metadata: Metadata | Callable[[], Metadata] = (read := _metadata(recorded))
            version = read.schema_version
        else:
            metadata, version = partial(_metadata, recorded), int(written[1])
        if recorded.commit_position is None or recorded.recorded_at is None:
            _unreadable(recorded, "the server did not say where and when it was written")
        return [
            Recorded(
                event,
                recorded.id,
                recorded.stream_name,
                recorded.stream_position,
                recorded.commit_position,
                recorded.recorded_at,
                metadata,
                index,
            )
            for index, event in enumerate(self._read(recorded, version))
        ]

    def _read(self, recorded: RecordedEvent, version: int) -> list[Event]:
        try:
            return self.schema.read(recorded.type, version, recorded.data)
        except Unfit as error:
            _unreadable(recorded, str(error), error)
        except UnknownShape as error:
            if not error.known_name:
                raise UnknownEventType(*_place(recorded), error.name) from error
            raise UnknownEventVersion(*_place(recorded), error.name, error.version) from error


def _metadata(recorded: RecordedEvent) -> Metadata:
    try:
        return Metadata.model_validate_json(recorded.metadata)
    except ValidationError as error:
        _unreadable(recorded, f"metadata: {first_of(error)}", error)


def _place(recorded: RecordedEvent) -> tuple[str, int, int]:
    return recorded.stream_name, recorded.stream_position, recorded.commit_position or 0


def _unreadable(recorded: RecordedEvent, reason: str, cause: Exception | None = None) -> NoReturn:
    raise UnreadableEvent(*_place(recorded), f"{recorded.type}: {reason}") from cause
