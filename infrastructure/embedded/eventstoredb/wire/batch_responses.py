"""The response of BatchAppend to one batch."""

from typing import TypeAlias

from esdbclient.protos.Grpc import code_pb2, shared_pb2, status_pb2, streams_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from infrastructure.embedded.eventstoredb.errors import (
    BeyondLimit,
    LogError,
    RepeatInFlight,
    StreamDeleted,
    WrongExpectedVersion,
)
from infrastructure.embedded.eventstoredb.log import Appended
from infrastructure.embedded.eventstoredb.storage.frames import frame
from infrastructure.embedded.eventstoredb.wire.append_results import fill_success, fill_wrong_version
from infrastructure.embedded.eventstoredb.wire.proposals import (
    MAX_APPEND_BYTES,
    AppendTooLarge,
    BadProposal,
    MissingMetadata,
)

BatchResp = streams_pb2.BatchAppendResp
Code: TypeAlias = code_pb2.Code.ValueType


class BatchTimedOut(LogError):
    """The rest of a batch did not come in time."""


class BatchDenied(LogError):
    """The caller may not write."""


def batch_response(correlation: shared_pb2.UUID, stream: bytes, result: Appended | LogError) -> bytes:
    """The framed response to the batch with this correlation id."""
    response = BatchResp(correlation_id=correlation)
    response.stream_identifier.stream_name = stream
    if isinstance(result, Appended):
        fill_success(response.success, result)
    else:
        response.error.CopyFrom(_status(result, stream))
    return frame(response.SerializeToString())


def _status(error: LogError, stream: bytes) -> status_pb2.Status:
    match error:
        case WrongExpectedVersion():
            return _pack(code_pb2.ALREADY_EXISTS, _wrong_version(error))
        case StreamDeleted():
            identifier = shared_pb2.StreamIdentifier(stream_name=stream)
            return _pack(code_pb2.NOT_FOUND, shared_pb2.StreamDeleted(stream_identifier=identifier))
        case AppendTooLarge():
            size = shared_pb2.MaximumAppendSizeExceeded(maxAppendSize=MAX_APPEND_BYTES)
            return _pack(code_pb2.INVALID_ARGUMENT, size)
        case BadProposal() | BeyondLimit() | MissingMetadata():
            return _pack(code_pb2.INVALID_ARGUMENT, shared_pb2.BadRequest(message=str(error)))
        case BatchDenied():
            return _pack(code_pb2.PERMISSION_DENIED, shared_pb2.AccessDenied())
        case BatchTimedOut() | RepeatInFlight():
            return _pack(code_pb2.DEADLINE_EXCEEDED, shared_pb2.Timeout())
        case _:
            return _pack(code_pb2.UNKNOWN, shared_pb2.Unknown())


def _pack(code: Code, details: Message) -> status_pb2.Status:
    packed = Any()
    packed.Pack(details)
    return status_pb2.Status(code=code, message=details.DESCRIPTOR.name, details=packed)


def _wrong_version(error: WrongExpectedVersion) -> shared_pb2.WrongExpectedVersion:
    wrong = shared_pb2.WrongExpectedVersion()
    fill_wrong_version(wrong, error, current="current_stream_revision", expected="expected_stream_position")
    return wrong
