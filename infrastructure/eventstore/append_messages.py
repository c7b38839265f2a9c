"""Appends and their answers as the messages of `BatchAppend`."""

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple
from uuid import uuid4

from esdbclient.protos.Grpc import shared_pb2
from esdbclient.protos.Grpc.code_pb2 import RESOURCE_EXHAUSTED
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp

from infrastructure.eventstore.client import is_for_size
from infrastructure.eventstore.errors import (
    AppendRefused,
    EventStoreError,
    EventTooLarge,
    StoreUnavailable,
    StreamGone,
    WrongExpectedVersion,
)
from infrastructure.eventstore.record import NewRecord

LARGEST: Final = 16 * 1024 * 1024 - 10_000
"""Bytes of a request: what is larger ends the call, with all the appends on it."""
ANY_VERSION: Final = -2
"""For what follows from nothing in the stream, such as an entry of a log that several processes write; no decision."""
_REFUSALS: Final = (
    shared_pb2.AccessDenied.DESCRIPTOR,
    shared_pb2.BadRequest.DESCRIPTOR,
    shared_pb2.InvalidTransaction.DESCRIPTOR,
)


class FreshIds:
    """Ids that nobody else draws: UUIDs with a random middle of this object's own, counted up at their end.

    Position tokens name events by their first eight digits, so these are counted up as well, from a random number on:
    they tell apart what one process wrote in two histories of a log, and what two processes did.
    """

    def __init__(self) -> None:
        own = uuid4()
        self._first: Final = own.time_low
        self._middle: Final = str(own)[8:24]
        self._numbers: Final = count()

    def draw(self) -> str:
        number = next(self._numbers)
        return f"{(self._first + number) & 0xFFFFFFFF:08x}{self._middle}{number:012x}"


class AppendMessage(NamedTuple):
    """A request as bytes, its correlation id, and the ids of its records in order."""

    request: bytes
    correlation_id: str
    event_ids: tuple[str, ...]


def append_message(
    ids: FreshIds, stream: str, version: int, records: Sequence[NewRecord], seconds: float
) -> AppendMessage:
    """The request that appends these records, under fresh ids, to a stream that ends at `version`, -1 for none.

    ANY_VERSION is that of whatever stream. The store gives up after so many `seconds`. Raises EventTooLarge where it
    would not take so much.
    """
    correlation_id, event_ids = ids.draw(), list[str]()
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = correlation_id
    options = request.options
    options.stream_identifier.stream_name = stream.encode()
    options.deadline.seconds, options.deadline.nanos = int(seconds), int(seconds % 1 * 1_000_000_000)
    if version == ANY_VERSION:
        options.any.SetInParent()
    elif version < 0:
        options.no_stream.SetInParent()
    else:
        options.stream_position = version
    for record in records:
        proposed = request.proposed_messages.add(data=record.data, custom_metadata=record.metadata)
        proposed.id.string = event_id = ids.draw()
        event_ids.append(event_id)
        proposed.metadata["type"] = record.type
        proposed.metadata["content-type"] = record.content_type
    message = request.SerializeToString()
    if len(message) > LARGEST:
        raise EventTooLarge(stream, f"{len(message)} bytes are more than the {LARGEST} of a request")
    return AppendMessage(message, correlation_id, tuple(event_ids))


def refusal(response: BatchAppendResp, stream: str, address: str) -> EventStoreError:
    """The exception for an unsuccessful answer; `address` is that of the store."""
    status = response.error
    details = status.details
    if details.Is(shared_pb2.WrongExpectedVersion.DESCRIPTOR):
        race = shared_pb2.WrongExpectedVersion()
        details.Unpack(race)
        exists = race.WhichOneof("current_stream_revision_option") == "current_stream_revision"
        return WrongExpectedVersion(stream, race.current_stream_revision if exists else None)
    if details.Is(shared_pb2.StreamDeleted.DESCRIPTOR):
        return StreamGone(stream)
    kind, words = details.type_url.rpartition(".")[2], _advice(response) or status.message
    exceeded = details.Is(shared_pb2.MaximumAppendSizeExceeded.DESCRIPTOR)
    if exceeded or status.code == RESOURCE_EXHAUSTED or is_for_size(None, words):
        return EventTooLarge(stream, f"{kind} {words}".strip())
    if any(details.Is(refused) for refused in _REFUSALS):
        return AppendRefused(stream, f"{kind} {_advice(response)}".strip())
    reason = "its own log may say why" if kind and kind == status.message else status.message
    return StoreUnavailable(address, f"{kind}: {reason}".strip(": ") or "an answer without words")


def _advice(response: BatchAppendResp) -> str:
    """What the store says beside the kind of its refusal."""
    details = response.error.details
    if details.Is(shared_pb2.BadRequest.DESCRIPTOR):
        bad = shared_pb2.BadRequest()
        details.Unpack(bad)
        return bad.message
    if details.Is(shared_pb2.MaximumAppendSizeExceeded.DESCRIPTOR):
        size = shared_pb2.MaximumAppendSizeExceeded()
        details.Unpack(size)
        return f"max size is {size.maxAppendSize}"
    return ""
