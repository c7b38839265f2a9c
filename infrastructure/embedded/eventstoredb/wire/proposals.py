"""Reads what clients propose to write: events, and the version that they expect of the stream."""

from typing import TypeAlias

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.errors import BeyondLimit, LogError
from infrastructure.embedded.eventstoredb.log import ANY, EXISTS, MAX, NO_STREAM
from infrastructure.embedded.eventstoredb.storage.frames import JSON, decode_id
from infrastructure.embedded.eventstoredb.storage.record import PendingRecord
from infrastructure.embedded.eventstoredb.wire.names import text_of
from infrastructure.embedded.eventstoredb.wire.positions import END

Proposed: TypeAlias = streams_pb2.AppendReq.ProposedMessage | streams_pb2.BatchAppendReq.ProposedMessage
MAX_APPEND_BYTES = 1024 * 1024
REQUIRED_METADATA = ("type", "content-type")
# One append is decided and written in one go, which others wait for; and each of its events repeats the stream's name.
MOST_EVENTS, _MOST_NAMES_BYTES = 4096, 8 * 1024 * 1024
# What an event takes in memory besides what is in it.
_EVENT_BYTES = 1000
_VERSIONS = {"any": ANY, "no_stream": NO_STREAM, "stream_exists": EXISTS}
_KINDS = {version: kind for kind, version in _VERSIONS.items()}


class BadProposal(LogError):
    """An event that can't be written, or a version that can't be expected."""


class MissingMetadata(LogError):
    """`key` names a property that every event must have."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Required Metadata Property '{key}' is missing")
        self.key = key


class AppendTooLarge(LogError):
    """One write is limited to a mebibyte."""


class Proposal:
    """Collects the events of one append, to a stream with a name of so many bytes, and keeps count of their size."""

    def __init__(self, name_bytes: int) -> None:
        self.events: list[PendingRecord] = []
        self.size = 0
        self._most_events = min(MOST_EVENTS, _MOST_NAMES_BYTES // max(1, name_bytes))

    @property
    def held_bytes(self) -> int:
        """How much memory it takes, about."""
        return self.size + _EVENT_BYTES * (1 + len(self.events))

    def add(self, message: Proposed) -> None:
        """Raises MissingMetadata, AppendTooLarge, BeyondLimit or BadProposal."""
        if len(self.events) == self._most_events:
            raise BeyondLimit(f"An append to this stream has at most {self._most_events} events.")
        for key in REQUIRED_METADATA:
            if key not in message.metadata:
                raise MissingMetadata(key)
        kind = message.metadata["type"]
        self.size += len(message.data) + len(message.custom_metadata) + len(kind.encode("utf-16-le"))
        if self.size > MAX_APPEND_BYTES:
            raise AppendTooLarge("the append is too large")
        self.events.append(_event(message, kind))


def _event(message: Proposed, kind: str) -> PendingRecord:
    try:
        event_id = decode_id(message.id)
    except (ValueError, OverflowError) as error:
        raise BadProposal("the event's id is no UUID") from error
    missing = "eventId" if not event_id.int else "eventType" if not kind else None
    if missing:
        raise BadProposal(f"Empty {missing} provided. (Parameter '{missing}')")
    is_json = message.metadata["content-type"] == JSON
    return PendingRecord(event_id, kind, is_json, message.data, message.custom_metadata)


def stream_name(identifier: shared_pb2.StreamIdentifier) -> str:
    """Raises BadProposal for the empty name, which no stream has, and BeyondLimit."""
    name = text_of(identifier)
    if not name:
        raise BadProposal("Specified argument was out of the range of valid values. (Parameter 'eventStreamId')")
    return name


def expected_version(kind: str | None, number: int) -> int | None:
    """The version that a request expects, by the name of its option; None if it has no such option.

    Raises BadProposal for a number that no stream can have.
    """
    if kind in ("revision", "stream_position"):
        if number == END:
            return NO_STREAM
        if number > MAX:
            raise BadProposal("the expected revision is out of range")
        return number
    return _VERSIONS.get(kind or "")


def expected_kind(version: int) -> str | None:
    """The way back: the name of the option for an expected version; None for a number."""
    return _KINDS.get(version)
