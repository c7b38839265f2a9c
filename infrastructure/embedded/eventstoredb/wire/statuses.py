"""EventStoreDB's error answers: status, text and trailers."""

from grpclib.const import Status

from infrastructure.embedded.eventstoredb.errors import (
    BeyondLimit,
    LogError,
    PatternTooSlow,
    RepeatInFlight,
    StorageFailed,
    StreamDeleted,
    WrongExpectedVersion,
)
from infrastructure.embedded.eventstoredb.wire.calls import Failure, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.proposals import (
    MAX_APPEND_BYTES,
    REQUIRED_METADATA,
    AppendTooLarge,
    MissingMetadata,
)


def refusal(error: LogError) -> Failure:
    """How a call ends that the log or the request's own faults refused."""
    match error:
        case StreamDeleted():
            return stream_deleted(error.stream)
        case WrongExpectedVersion():
            return _wrong_version_on_delete(error)
        case MissingMetadata():
            return _missing_metadata(error.key)
        case AppendTooLarge():
            return _append_too_large()
        case PatternTooSlow() | BeyondLimit():
            return Failure(Status.INVALID_ARGUMENT, str(error))
        case RepeatInFlight():
            return Failure(Status.ABORTED, "Operation timed out: Commit phase timeout.")
        case StorageFailed():
            return Failure(Status.UNAVAILABLE, f"Server Is Not Ready: {error}")
        case _:
            return thrown_by_handler()


def stream_deleted(stream: str) -> Failure:
    trailers = {"exception": "stream-deleted", "stream-name": stream}
    return Failure(Status.FAILED_PRECONDITION, f"Event stream '{stream}' is deleted.", trailers)


def not_a_valid(value: str, kind: str) -> Failure:
    return Failure(Status.INVALID_ARGUMENT, f"'{value}' is not a valid EventStore.Client.Streams.{kind}")


def unexpected(result: str) -> Failure:
    return Failure(Status.UNKNOWN, f"Unexpected {result}")


def _wrong_version_on_delete(error: WrongExpectedVersion) -> Failure:
    details = (
        f"Delete failed due to WrongExpectedVersion. Stream: {error.stream},"
        f" Expected version: {error.expected}, Actual version: {error.current}"
    )
    trailers = {
        "exception": "wrong-expected-version",
        "stream-name": error.stream,
        "expected-version": str(error.expected),
        "actual-version": str(error.current),
    }
    return Failure(Status.FAILED_PRECONDITION, details, trailers)


def _append_too_large() -> Failure:
    trailers = {
        "exception": "maximum-append-size-exceeded",
        "maximum-append-size": str(MAX_APPEND_BYTES),
    }
    return Failure(Status.INVALID_ARGUMENT, f"Maximum Append Size of {MAX_APPEND_BYTES} Exceeded.", trailers)


def _missing_metadata(key: str) -> Failure:
    trailers = {
        "exception": "missing-required-metadata-property",
        "required-metadata-properties": ",".join(REQUIRED_METADATA),
    }
    return Failure(Status.INVALID_ARGUMENT, f"Required Metadata Property '{key}' is missing", trailers)
