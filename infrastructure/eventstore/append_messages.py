"""Appends and their answers as the messages of `BatchAppend`."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Final, NamedTuple
from uuid import uuid4

from esdbclient.protos.Grpc import shared_pb2
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp
from google.protobuf.duration_pb2 import Duration

from infrastructure.eventstore.errors import (
    AppendRefused,
    EventStoreError,
    StoreUnavailable,
    StreamGone,
    WrongExpectedVersion,
)
from infrastructure.eventstore.record import NewRecord

LARGEST: Final = 16 * 1024 * 1024 - 10_000
"""Bytes of a request: what is larger ends the call, with all the appends on it."""
_ID: Final = b"\x0a\x26\x12\x24"  # the first field: a UUID, as a text of 36 characters
_REFUSALS: Final = (
    shared_pb2.AccessDenied.DESCRIPTOR,
    shared_pb2.BadRequest.DESCRIPTOR,
    shared_pb2.InvalidTransaction.DESCRIPTOR,
    shared_pb2.MaximumAppendSizeExceeded.DESCRIPTOR,
)


class FreshIds:
    """Ids that nobody else draws: UUIDs of one random beginning, counted up; ten times as fast as random ones."""

    def __init__(self) -> None:
        self._prefix: Final = str(uuid4())[:24]
        self._numbers: Final = count()

    def draw(self) -> str:
        return f"{self._prefix}{next(self._numbers):012x}"


class AppendMessage(NamedTuple):
    """A request as bytes, its correlation id, and the id of its last record; an empty text where it has no records."""

    request: bytes
    correlation_id: str
    last_id: str


def append_message(
    ids: FreshIds, stream: str, version: int, records: Sequence[NewRecord], seconds: float
) -> AppendMessage:
    """The request that appends these records, under fresh ids, to a stream that ends at `version`, -1 for none.

    The store gives up after so many `seconds`. Raises AppendRefused where it would not take so much. The bytes of a
    `BatchAppendReq` are put together by hand, field by field as in its declaration: the generated class takes three
    times as long.
    """
    correlation_id, last_id = ids.draw(), ""
    options = b"%b%b%b" % (
        _field(b"\x0a", _field(b"\x1a", stream.encode())),
        b"\x1a\x00" if version < 0 else b"\x10" + _varint(version),
        _deadline(seconds),
    )
    parts = [_ID, correlation_id.encode(), _field(b"\x12", options)]
    for record in records:
        last_id = ids.draw()
        parts.append(_field(b"\x1a", _proposed(record, last_id)))
    parts.append(b"\x20\x01")  # it is final
    request = b"".join(parts)
    if len(request) > LARGEST:
        raise AppendRefused(stream, f"{len(request)} bytes are more than the {LARGEST} of a request")
    return AppendMessage(request, correlation_id, last_id)


def _proposed(record: NewRecord, own_id: str) -> bytes:
    custom = _field(b"\x1a", record.metadata) if record.metadata else b""
    data = _field(b"\x22", record.data) if record.data else b""
    return b"".join((_ID, own_id.encode(), _type(record.type, record.content_type), custom, data))


@lru_cache(maxsize=1024)
def _type(kind: str, content_type: str) -> bytes:
    members = (("type", kind), ("content-type", content_type))
    return b"".join(
        _field(b"\x12", _field(b"\x0a", name.encode()) + _field(b"\x12", value.encode())) for name, value in members
    )


@lru_cache(maxsize=64)
def _deadline(seconds: float) -> bytes:
    duration = Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1_000_000_000))
    return _field(b"\x3a", duration.SerializeToString())


def _field(tag: bytes, content: bytes) -> bytes:
    """A field that carries its length."""
    size = len(content)
    return b"%b%c%b" % (tag, size, content) if size < 128 else b"%b%b%b" % (tag, _varint(size), content)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the highest bit set."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def refusal(response: BatchAppendResp, stream: str, address: str) -> EventStoreError:
    """What an answer means that is no success; `address` is that of the store."""
    status = response.error
    details = status.details
    if details.Is(shared_pb2.WrongExpectedVersion.DESCRIPTOR):
        race = shared_pb2.WrongExpectedVersion()
        details.Unpack(race)
        exists = race.WhichOneof("current_stream_revision_option") == "current_stream_revision"
        return WrongExpectedVersion(stream, race.current_stream_revision if exists else None)
    if details.Is(shared_pb2.StreamDeleted.DESCRIPTOR):
        return StreamGone(stream)
    kind = details.type_url.rpartition(".")[2]
    if any(details.Is(refused) for refused in _REFUSALS):
        return AppendRefused(stream, f"{kind} {_advice(response)}".strip())
    return StoreUnavailable(address, f"{kind}: {status.message}".strip(": ") or "an answer without words")


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
