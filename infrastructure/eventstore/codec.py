"""Turns events into what the store keeps, and back."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn
from uuid import UUID

from pydantic import ValidationError

from domain.message import Event, Metadata, Recorded
from infrastructure.eventstore.errors import UnknownEventType, UnknownEventVersion, UnreadableEvent
from infrastructure.eventstore.record import NewRecord, Record, RecordHeader
from infrastructure.eventstore.record_messages import RecordMessage, record_in
from infrastructure.eventstore.schema import Schema, Unfit, UnknownShape, first_of

_AS_WRITTEN_HERE: Final = re.compile(rb',"schema_version":([0-9]{1,9}),"time":"[0-9TZ:.+-]{20,32}"\}\Z')
_LENGTH: Final = len(',"schema_version":123456789,"time":""}') + 32
"""How metadata ends as `encode` writes it: then the version is read, and the rest when it is asked for.

No other text ends so: within a text the quotes would be escaped, and within a member a second brace would follow.
"""
_BEGINNING: Final = re.compile(
    rb'\{"\$correlationId":"[0-9a-f-]{36}","\$causationId":"[0-9a-f-]{36}","command_id":"([0-9a-f-]{36})","digest":"'
)
"""How such metadata begins."""


class EventCodec:
    """Knows every event type by its stored names and versions, those of the past included.

    Payload and metadata are JSON; a Decimal is stored as text. Members that a newer writer added are ignored.
    """

    def __init__(self, events: Iterable[type[Event]]) -> None:
        self.schema: Final = Schema(events)

    def encode(self, event: Event, metadata: Metadata) -> NewRecord:
        """The event as it is sent; its own stored version is what the metadata will say.

        Raises ValueError for an event that `events_in` could not read again.
        """
        if not self.schema.declares(type(event)):
            raise ValueError(f"{type(event).__name__} is not among the events of this codec")
        stamped = metadata
        if metadata.schema_version != event.stored_version:
            stamped = metadata.model_copy(update={"schema_version": event.stored_version})
        return NewRecord(event.stored_name, self.schema.written(event), stamped.model_dump_json(by_alias=True).encode())

    def events_in(self, record: Record) -> list[Recorded[Any]]:
        """What a record of the log means today: one event, or several where an older one meant more.

        Raises UnknownEventType, UnknownEventVersion or UnreadableEvent, which say where it lies. Metadata that looks
        like ours is read when it is asked for, and raises UnreadableEvent then.
        """
        metadata, version = self._metadata(record)
        if record.position is None or record.at is None:
            _unreadable(record, "the server did not say where and when it was written")
        place = (record.id, record.stream, record.version, record.position, record.at, metadata)
        return [Recorded(event, *place, index) for index, event in enumerate(self._read(record, version))]

    def message_reader(self, wanted: Iterable[str]) -> Callable[[RecordMessage], Recorded[Any] | None]:
        """Reads the event of a record whose name is wanted, in its form of today and with metadata as `encode` writes.

        None for any other, and for one that does not fit: `events_in` reads it, or says what is wrong with it. It is
        read off the message, in half of the time; its id and metadata when they are asked for.
        """
        readers = {
            (name, str(version).encode()): reader
            for (name, version), reader in self.schema.readers.items()
            if name in wanted
        }

        def read(message: RecordMessage) -> Recorded[Any] | None:
            event = message.event
            about = event.metadata
            written = _AS_WRITTEN_HERE.search(event.custom_metadata[-_LENGTH:])
            reader = written and readers.get((about["type"], written[1]))
            created = about["created"]
            if reader is None or not created:
                return None
            try:
                today = reader(event.data)
            except ValidationError:
                return None
            return Recorded(
                today,
                event.id.string,
                event.stream_identifier.stream_name.decode(),
                event.stream_revision,
                message.commit_position,
                datetime.fromtimestamp(int(created) / 10_000_000.0, UTC),
                partial(_metadata_in, message),
            )

        return read

    def command_id_in(self, record: Record | RecordHeader) -> UUID:
        """The id of the command that left the record; nothing else of it is decoded. Raises UnreadableEvent."""
        begun = _BEGINNING.match(record.metadata)
        if begun is not None and _AS_WRITTEN_HERE.search(record.metadata[-_LENGTH:]) is not None:
            return UUID(begun[1].decode())
        return _metadata(record).command_id

    def _metadata(self, record: Record) -> tuple[Metadata | Callable[[], Metadata], int]:
        written = _AS_WRITTEN_HERE.search(record.metadata[-_LENGTH:])
        if written is not None:
            return partial(_metadata, record), int(written[1])
        if record.type not in self.schema.names:  # whoever wrote it, nothing can be expected of its metadata
            raise UnknownEventType(*_place(record), record.type)
        metadata = _metadata(record)
        return metadata, metadata.schema_version

    def _read(self, record: Record, version: int) -> list[Event]:
        try:
            return self.schema.read(record.type, version, record.data)
        except Unfit as error:
            _unreadable(record, str(error), error)
        except UnknownShape as error:
            if not error.known_name:
                raise UnknownEventType(*_place(record), error.name) from error
            raise UnknownEventVersion(*_place(record), error.name, error.version) from error


def _metadata_in(message: RecordMessage) -> Metadata:
    return _metadata(record_in(message))


def _metadata(record: Record | RecordHeader) -> Metadata:
    try:
        return Metadata.model_validate_json(record.metadata)
    except ValidationError as error:
        _unreadable(record, f"metadata: {first_of(error)}", error)


def _place(record: Record | RecordHeader) -> tuple[str, int, int]:
    return record.stream, record.version, record.position or 0


def _unreadable(record: Record | RecordHeader, reason: str, cause: Exception | None = None) -> NoReturn:
    raise UnreadableEvent(*_place(record), f"{record.type}: {reason}") from cause
